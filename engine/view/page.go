package view

import (
	"embed"
	"io/fs"
	"net/http"
)

// files is the page: hand-written, complete, and without a reference to
// anything outside.
//
//go:embed page
var files embed.FS

// page serves the embedded files. They change only with the program, which the
// handler's no-store says already.
func page() http.Handler {
	sub, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the name is the one above
	}
	return http.FileServerFS(sub)
}
