package pcap

import (
	"bufio"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Writer writes Ethernet frames to a capture file.
type Writer struct {
	classic *pcapgo.Writer
	next    *pcapgo.NgWriter
	buffer  *bufio.Writer
	close   func() error
}

// NewWriter begins a capture file in w: pcapng if next is set, else classic
// pcap with nanosecond or microsecond times.
func NewWriter(w io.Writer, next, nanosecond bool) (*Writer, error) {
	b := bufio.NewWriter(w)
	if next {
		n, err := pcapgo.NewNgWriter(b, layers.LinkTypeEthernet)
		return &Writer{next: n, buffer: b}, err
	}
	c := pcapgo.NewWriter(b)
	if nanosecond {
		c = pcapgo.NewWriterNanos(b)
	}
	return &Writer{classic: c, buffer: b}, c.WriteFileHeader(largest, layers.LinkTypeEthernet)
}

// Create begins a capture file of that name; a name that ends in .pcapng makes
// a pcapng file.
func Create(name string, nanosecond bool) (*Writer, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	w, err := NewWriter(f, strings.HasSuffix(name, ".pcapng"), nanosecond)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	w.close = f.Close
	return w, nil
}

// Write appends one frame.
func (w *Writer) Write(r Record) error {
	ci := gopacket.CaptureInfo{Timestamp: time.Unix(0, r.Time).UTC(), CaptureLength: len(r.Data), Length: max(r.Length, len(r.Data))}
	if w.next != nil {
		return w.next.WritePacket(ci, r.Data)
	}
	return w.classic.WritePacket(ci, r.Data)
}

// Close completes the file.
func (w *Writer) Close() error {
	var err error
	if w.next != nil {
		err = w.next.Flush()
	}
	if e := w.buffer.Flush(); err == nil {
		err = e
	}
	if w.close != nil {
		if e := w.close(); err == nil {
			err = e
		}
	}
	return err
}

// WriteFile writes a whole capture in its own format, or in the one that name
// asks for.
func (c *Capture) WriteFile(name string) error {
	w, err := Create(name, c.Nanosecond)
	if err != nil {
		return err
	}
	for _, r := range c.Records {
		if err := w.Write(r); err != nil {
			_ = w.Close()
			return err
		}
	}
	return w.Close()
}
