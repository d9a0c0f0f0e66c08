package view

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// control answers /control/ on the page's address: with the token only.
func (h *Handler) control(w http.ResponseWriter, r *http.Request) {
	if no := h.guard.change(r); no != nil {
		refuse(w, no)
		return
	}
	controlMux(h.requests).ServeHTTP(w, r)
}

// NewControl is the handler of the control socket. The socket's mode decides who
// may ask, so it asks for no token.
func NewControl(requests Requests) http.Handler {
	mux := controlMux(requests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		limit(w, answerTime)
		mux.ServeHTTP(w, r)
	})
}

// controlMux routes the requests that change something.
func controlMux(q Requests) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /control/boot", func(w http.ResponseWriter, r *http.Request) { orderBoot(w, r, q) })
	mux.HandleFunc("DELETE /control/boot/{node}", func(w http.ResponseWriter, r *http.Request) {
		done(w, q.Boot(r.PathValue("node"), "", false))
	})
	mux.HandleFunc("POST /control/reload", func(w http.ResponseWriter, _ *http.Request) { done(w, q.Reload()) })
	return mux
}

// order is the body of POST /control/boot.
type order struct {
	Node string `json:"node"` // MAC, host or address
	File string `json:"file"` // below the TFTP root
	Once bool   `json:"once"` // for the next boot only
}

func orderBoot(w http.ResponseWriter, r *http.Request, q Requests) {
	o, no := readOrder(r)
	if no != nil {
		refuse(w, no)
		return
	}
	done(w, q.Boot(o.Node, o.File, o.Once))
}

// readOrder reads and checks the body.
func readOrder(r *http.Request) (o order, no *refusal) {
	// A form of another site cannot send this type unasked.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return o, &refusal{http.StatusUnsupportedMediaType, "The body must be JSON, and say so: Content-Type: application/json"}
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return o, &refusal{http.StatusBadRequest, fmt.Sprintf(`The body must be like {"node":"node_1","file":"rescue.ipxe","once":true}: %v`, err)}
	}
	if _, err := d.Token(); err != io.EOF {
		return o, &refusal{http.StatusBadRequest, "The body must be one JSON object, with nothing after it."}
	}
	o.Node, o.File = strings.TrimSpace(o.Node), strings.TrimSpace(o.File)
	if o.Node == "" || o.File == "" {
		return o, &refusal{http.StatusBadRequest, "node and file must be given: which node, and which file below the TFTP root."}
	}
	return o, nil
}

// done answers what became of a change.
func done(w http.ResponseWriter, err error) {
	if err != nil {
		refuse(w, &refusal{http.StatusUnprocessableEntity, err.Error()})
		return
	}
	answer(w, map[string]bool{"ok": true})
}
