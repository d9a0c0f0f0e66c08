package fill

import (
	"testing"
	"time"
)

// FuzzFill: a template is refused when it is read, or becomes a file within its
// bounds or an error, soon.
func FuzzFill(f *testing.F) {
	for _, text := range []string{"ip={{.Address}}::{{.Gateway}}:{{.Mask}}\n", `{{.Option "domain-name"}}`, `{{range $k, $v := .Options}}{{$k}}={{$v}};{{end}}`,
		`{{with index .Options "root-path"}}{{.}}{{else}}-{{end}}`, `{{if eq .Host "n1"}}{{printf "%q" .Host}}{{end}}`, `{{printf "%70000d" 1}}`,
		"{{range 1000000000}}{{end}}", `{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`, `{{len (slice .MAC 1 99)}}{{call .Host}}`,
		`{{html (js (urlquery (print .Options .Options)))}}`, `{{$x := .Host}}{{$x = printf "%s%s" $x $x}}{{$x}}`, "{{/* */}}{{- .Server -}}{{`x`}}{{'a'}}{{1e9}}{{nil}}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		begin := time.Now()
		file, err := Parse("/srv/f.tmpl", text)
		if err != nil {
			if file != nil || err.Error() == "" {
				t.Fatalf("both a template and an error: %v", err)
			}
			return
		}
		got, err := file.Fill(node)
		if len(got) > MaxSize || err != nil && got != nil {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}
