// Package api is the operator's commands' way to a running daemon: its JSON
// interface, over the Unix socket that each daemon keeps or over HTTP.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bootstorm/engine/feed"
	"bootstorm/engine/story"
)

// patience is how long an answer may take to begin. The view answers from
// memory; what takes longer hangs.
const patience = 5 * time.Second

// Client asks one daemon. It holds no state that a restart of the daemon would
// spoil: the next request finds the new one.
type Client struct {
	Where string // the socket or the address, for messages
	name  string // of the interface, or ""
	base  string
	http  *http.Client
}

// newClient makes a client whose connections dial opens.
func newClient(where, name, base string, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Client {
	t := &http.Transport{DialContext: dial, ResponseHeaderTimeout: patience, MaxIdleConns: 2, IdleConnTimeout: time.Minute}
	return &Client{Where: where, name: name, base: base, http: &http.Client{Transport: t}}
}

// ErrNoNode says that the daemon knows no such node.
var ErrNoNode = errors.New("no such node")

// answerError is an answer that is none: another program at that address, or a
// failure in the daemon.
type answerError struct {
	status int
	text   string
}

// Error gives the daemon's own words.
func (e *answerError) Error() string {
	if e.text == "" {
		return http.StatusText(e.status)
	}
	return e.text
}

// get opens one resource. The caller closes the body.
func (c *Client) get(ctx context.Context, path string, q url.Values) (io.ReadCloser, error) {
	u := c.base + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	r, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(err)
	}
	if r.StatusCode == http.StatusOK {
		return r.Body, nil
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
	return nil, &answerError{r.StatusCode, strings.TrimSpace(string(text))}
}

// object fetches one JSON value.
func (c *Client) object(ctx context.Context, path string, q url.Values, v any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	body, err := c.get(ctx, path, q)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return fmt.Errorf("%s: the answer to %s is not what a bootstorm daemon sends (%w); is another program there, or another version?", c.Where, path, err)
	}
	return nil
}

// errUnheard is the answer of a view that the engine has told nothing yet: it has
// just started, or was started again. That no nodes are known says nothing then.
var errUnheard = errors.New("the daemon has just started and has told nothing yet: ask again in a moment, and look at its log if that stays so")

// Summary fetches the whole at a glance.
func (c *Client) Summary(ctx context.Context) (s story.Summary, err error) {
	if err = c.object(ctx, "/api/summary", nil, &s); err == nil && s.Started.IsZero() {
		err = fmt.Errorf("%s: %w", c.Where, errUnheard)
	}
	return s, err
}

// Nodes fetches the nodes that a query chooses, without their steps, and how
// many there are in all.
func (c *Client) Nodes(ctx context.Context, q story.Query) (list []story.Node, total int, err error) {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" && value != "0" {
			v.Set(name, value)
		}
	}
	set("text", q.Text)
	set("state", string(q.State))
	set("phase", string(q.Phase))
	set("sort", q.Sort)
	set("from", strconv.Itoa(q.From))
	set("limit", strconv.Itoa(q.Limit))
	var answer struct {
		Total int          `json:"total"`
		Nodes []story.Node `json:"nodes"`
	}
	err = c.object(ctx, "/api/nodes", v, &answer)
	return answer.Nodes, answer.Total, err
}

// Node fetches one node with its steps, by MAC, host or address.
func (c *Client) Node(ctx context.Context, who string) (n story.Node, err error) {
	return n, unknown(c.object(ctx, "/api/nodes/"+url.PathEscape(who), nil, &n), who)
}

// Explain fetches what the server would answer the node, and which line of the
// configuration decides it.
func (c *Client) Explain(ctx context.Context, who string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	body, err := c.get(ctx, "/api/nodes/"+url.PathEscape(who)+"/explain", nil)
	if err != nil {
		return "", unknown(err, who)
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 1<<20))
	return string(text), err
}

// Boots fetches the nodes that load another file at their next boot.
func (c *Client) Boots(ctx context.Context) (list []feed.Order, err error) {
	return list, c.object(ctx, "/api/boots", nil, &list)
}

// Boot has a node load a file at its next boot, once. The client must be one of
// OpenControl.
func (c *Client) Boot(ctx context.Context, node, file string) error {
	return c.change(ctx, http.MethodPost, "/control/boot", map[string]any{"node": node, "file": file, "once": true})
}

// Unboot takes that back.
func (c *Client) Unboot(ctx context.Context, node string) error {
	return c.change(ctx, http.MethodDelete, "/control/boot/"+url.PathEscape(node), nil)
}

// Reload has the daemon read its configuration and boot files again. The error is
// the daemon's if the old ones stay in force.
func (c *Client) Reload(ctx context.Context) error {
	return c.change(ctx, http.MethodPost, "/control/reload", struct{}{})
}

// change asks for something that is no mere question.
func (c *Client) change(ctx context.Context, method, path string, body any) error {
	ctx, cancel := context.WithTimeout(ctx, changeTime)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	r, err := c.http.Do(req)
	if err != nil {
		return c.explain(err)
	}
	defer r.Body.Close()
	if r.StatusCode == http.StatusOK {
		return nil
	}
	reason, _ := io.ReadAll(io.LimitReader(r.Body, 4000))
	var refused struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(reason, &refused) == nil && refused.Error != "" {
		return &answerError{r.StatusCode, refused.Error}
	}
	return &answerError{r.StatusCode, strings.TrimSpace(string(reason))}
}

// changeTime is how long a change may take: the server may be in the middle of a
// reload.
const changeTime = 15 * time.Second

// History fetches the last minutes, a sample a second, the oldest first.
func (c *Client) History(ctx context.Context) (h []story.Sample, err error) {
	return h, c.object(ctx, "/api/history", nil, &h)
}

// Capture copies the frames that the daemon remembers to w as pcapng: of one
// node, or all of them if who is "".
func (c *Client) Capture(ctx context.Context, who string, w io.Writer) error {
	path := "/api/capture.pcapng"
	if who != "" {
		path = "/api/nodes/" + url.PathEscape(who) + "/capture.pcapng"
	}
	body, err := c.get(ctx, path, nil)
	if err != nil {
		return unknown(err, who)
	}
	defer body.Close()
	_, err = io.Copy(w, body)
	return err
}

// unknown turns a missing page of a node into what it means.
func unknown(err error, who string) error {
	var answer *answerError
	if who != "" && errors.As(err, &answer) && answer.status == http.StatusNotFound {
		return fmt.Errorf("%w: %s; the daemon has not heard of it since it started (bootstorm watch lists those it has)", ErrNoNode, who)
	}
	return err
}
