package view

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"bootstorm/engine/feed"
)

// askTime is how long the engine may take to answer: a reload reads all boot
// files again.
const askTime = 12 * time.Second

// requests puts what the handler wants to the engine.
type requests struct{ feed *feed.Reader }

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
func (requests) Capture(string, io.Writer) error {
	return errors.New("this server keeps no frames; record them with tcpdump")
}
