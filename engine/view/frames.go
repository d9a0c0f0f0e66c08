package view

import (
	"fmt"
	"net/http"
	"time"

	"bootstorm/engine/view/dissect"
)

// maxFrames is how many of a node's frames are listed; the capture has all.
const maxFrames = 200

// Define takes the options that the configuration in force declares, by which frames
// are put into words.
func (h *Handler) Define(options string) { h.words.Store(dissect.New(options)) }

// frame is one of a node's last frames in words.
type frame struct {
	At        time.Time `json:"at"`
	Interface string    `json:"interface"`
	Sent      bool      `json:"sent"`            // by this machine
	Length    int       `json:"length"`          // bytes; of a run, of its first frame
	Run       int       `json:"run,omitempty"`   // DATA frames of consecutive blocks that were sent at once
	Bytes     int       `json:"bytes,omitempty"` // file data of the run
	*dissect.Packet
}

// frames answers GET /api/nodes/{who}/frames: the last frames of the node, the newest
// last.
func (h *Handler) frames(w http.ResponseWriter, r *http.Request) {
	n, ok := h.find(w, r)
	if !ok {
		return
	}
	select {
	case h.captures <- struct{}{}:
		defer func() { <-h.captures }()
	default:
		refuse(w, &refusal{http.StatusServiceUnavailable, "Others are reading frames. Try again in a moment."})
		return
	}
	kept, err := h.requests.Frames(n.MAC, maxFrames)
	if err != nil {
		refuse(w, &refusal{http.StatusServiceUnavailable, err.Error()})
		return
	}
	list, words := make([]frame, len(kept)), h.words.Load()
	for i, k := range kept {
		f := frame{k.At, k.Link, k.Sent, k.Length, k.Run, k.Bytes, words.Frame(k.Data, k.Length)}
		if k.Run > 1 {
			f.Text = fmt.Sprintf("%s and the %d after it, %d bytes in all", f.Text, k.Run-1, k.Bytes)
		}
		list[i] = f
	}
	answer(w, list)
}
