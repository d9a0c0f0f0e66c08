package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// control is QEMU's machine protocol (QMP): JSON objects, one a line.
type control struct {
	conn net.Conn
	in   *bufio.Reader
}

// dialControl connects to QEMU's socket as soon as it is there.
func dialControl(file string, limit time.Duration) (*control, error) {
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("unix", file)
		if err != nil {
			if time.Now().After(end) {
				return nil, fmt.Errorf("QEMU does not answer: %w", err)
			}
			continue
		}
		c := &control{conn: conn, in: bufio.NewReader(conn)}
		if _, err := c.in.ReadBytes('\n'); err != nil { // its greeting
			return nil, fmt.Errorf("QEMU's greeting: %w", err)
		}
		_, err = c.do("qmp_capabilities", nil)
		return c, err
	}
}

// do executes a command and returns its result. Events that QEMU reports in
// between are passed over.
func (c *control) do(name string, arguments map[string]any) (json.RawMessage, error) {
	c.conn.SetDeadline(time.Now().Add(20 * time.Second))
	request, err := json.Marshal(map[string]any{"execute": name, "arguments": arguments})
	if err != nil {
		return nil, err
	}
	if arguments == nil {
		request = fmt.Appendf(nil, `{"execute":%q}`, name)
	}
	if _, err := c.conn.Write(append(request, '\n')); err != nil {
		return nil, fmt.Errorf("QEMU, %s: %w", name, err)
	}
	for {
		line, err := c.in.ReadBytes('\n')
		if err != nil {
			return nil, fmt.Errorf("QEMU, %s: %w", name, err)
		}
		var answer struct {
			Return json.RawMessage
			Error  *struct{ Desc string }
		}
		if err := json.Unmarshal(line, &answer); err != nil {
			return nil, fmt.Errorf("QEMU, %s: %w", name, err)
		}
		switch {
		case answer.Error != nil:
			return nil, fmt.Errorf("QEMU, %s: %s", name, answer.Error.Desc)
		case answer.Return != nil:
			return answer.Return, nil
		}
	}
}
