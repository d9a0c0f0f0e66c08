package view

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"bootstorm/engine/capture"
	"bootstorm/engine/feed"
	"bootstorm/proto"
)

// askTime is how long the engine may take to answer: a reload reads all boot
// files again.
const askTime = 12 * time.Second

// requests puts what the handler wants to the engine; frames it reads itself.
type requests struct {
	feed   *feed.Reader
	frames []*capture.Reader
}

func (r requests) ask(q feed.Request) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	return r.feed.Ask(ctx, q)
}

// Explain implements Requests.
func (r requests) Explain(mac string) (string, error) {
	return r.ask(feed.Request{Kind: feed.Explain, Node: mac})
}

// Boot implements Requests.
func (r requests) Boot(node, file string, once bool) error {
	q := feed.Request{Kind: feed.Boot, Node: node, File: file, Once: once}
	if file == "" {
		q.Kind = feed.Unboot
	}
	_, err := r.ask(q)
	return err
}

// Marked implements Requests.
func (r requests) Marked() (list []feed.Order, err error) {
	text, err := r.ask(feed.Request{Kind: feed.Orders})
	if err == nil {
		err = json.Unmarshal([]byte(text), &list)
	}
	return list, err
}

// Reload implements Requests.
func (r requests) Reload() error {
	_, err := r.ask(feed.Request{Kind: feed.Reload})
	return err
}

// Capture implements Requests.
func (r requests) Capture(mac string, w io.Writer) error {
	f, err := r.filter(mac)
	if err == nil {
		_, err = capture.WritePCAPNG(w, r.frames, f)
	}
	return err
}

// Frames implements Requests.
func (r requests) Frames(mac string, most int) ([]capture.Frame, error) {
	f, err := r.filter(mac)
	if err != nil {
		return nil, err
	}
	return capture.Frames(r.frames, f, most), nil
}

// filter chooses the frames of a node, of all for "".
func (r requests) filter(mac string) (f capture.Filter, err error) {
	if len(r.frames) == 0 {
		return f, errors.New("this server keeps no frames: it was started with --capture-memory 0; record them with tcpdump")
	}
	if mac == "" {
		return f, nil
	}
	hw, err := net.ParseMAC(mac)
	if err != nil || len(hw) != len(f.MAC) {
		return f, fmt.Errorf("%s is no Ethernet address", mac)
	}
	f.MAC = proto.MAC(hw)
	return f, nil
}
