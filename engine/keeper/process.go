package keeper

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"bootstorm/engine/link"
	"bootstorm/engine/span"
)

// Descriptors of the keeper, and of the view that it starts.
const (
	control   = 3 // of the keeper: the engine
	Feed      = 3 // of the view: its end of the feed
	FirstFile = 4 // of both: the files that Start was given
)

// Config is what the keeper is told at its start.
type Config struct {
	Interfaces []string // whose sockets it may open
	View       []string // command line of the view, without the program; empty: there is none
	Files      int      // descriptors from FirstFile on, which the view is given
	// Confine gives up what is not needed. It is called once, before anything
	// is read from the engine, and returns words for the log.
	Confine func() (said []string, err error)
}

// Process is the keeper: it serves the engine until that ends. It must be called
// on the main goroutine, with its thread locked from the start (runtime.LockOSThread
// in an init function or at the beginning of main): the death of the thread
// that started the view is what ends the view.
func Process(c Config) error {
	runtime.LockOSThread()
	engine, err := conn(os.NewFile(control, "engine"))
	if err != nil {
		return fmt.Errorf("the keeper is started by \"bootstorm serve\", not by hand: %w", err)
	}
	k := &keeper{Config: c, engine: engine, asked: make(chan message)}
	if err := k.prepare(); err != nil {
		return err
	}
	go k.listen()
	return k.serve()
}

// keeper is the process.
type keeper struct {
	Config
	engine *net.UnixConn
	asked  chan message
	view   starter
}

// prepare opens what starting a view needs, and confines the process.
func (k *keeper) prepare() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	k.view.init(k.View, null, k.Files)
	if k.Confine == nil {
		return nil
	}
	said, err := k.Confine()
	for _, text := range said {
		k.say(kindSay, "keeper: "+text)
	}
	return err
}

// listen takes the engine's requests; the channel ends with the engine.
func (k *keeper) listen() {
	defer close(k.asked)
	for {
		m, fds, err := receive(k.engine)
		if err != nil {
			return
		}
		closeAll(fds)
		k.asked <- m
	}
}

// serve answers the engine and keeps the view running. Everything that starts a
// process happens here, on the main thread.
func (k *keeper) serve() error {
	start := time.NewTimer(0)
	if len(k.View) == 0 {
		start.Stop()
	}
	for {
		select {
		case m, ok := <-k.asked:
			if !ok {
				k.view.end()
				return nil
			}
			if m.Kind == kindHangs {
				k.view.kill()
				continue
			}
			k.answer(m)
		case <-start.C:
			if err := k.startView(); err != nil {
				k.say(kindWarn, fmt.Sprintf("the view cannot be started: %v; trying again", err))
				start.Reset(k.view.pause())
			}
		case how := <-k.view.ended:
			k.view.process = nil // nothing to wait for at the end
			pause := k.view.pause()
			k.say(kindWarn, fmt.Sprintf("the view has ended (%v): it is started again in %s; boots and leases are not affected, "+
				"what it knew of past boots is lost", how, span.Exact(pause)))
			start.Reset(pause)
		}
	}
}

// startView starts the view and sends the engine its end of the feed.
func (k *keeper) startView() error {
	feed, err := k.view.start()
	if err != nil {
		return err
	}
	defer feed.Close()
	return send(k.engine, message{Kind: kindView}, int(feed.Fd()))
}

// say has the engine log something.
func (k *keeper) say(kind, text string) { _ = send(k.engine, message{Kind: kind, Text: text}) }

// answer does what the engine asks for: these two things and no other.
func (k *keeper) answer(m message) {
	var fds []int
	var err error
	switch {
	case m.Kind == kindPacket && m.Interface >= 0 && m.Interface < len(k.Interfaces):
		var fd int
		if fd, err = link.Packet(k.Interfaces[m.Interface]); err == nil {
			fds = []int{fd}
		}
	case m.Kind == kindReserve && m.Interface >= 0 && m.Interface < len(k.Interfaces):
		fds, err = link.Reserve(k.Interfaces[m.Interface])
	default:
		err = fmt.Errorf("the keeper opens no %q of interface %d", m.Kind, m.Interface)
	}
	a := message{Kind: kindOpened}
	if err != nil {
		var down *link.DownError
		a.Error, a.Gone = err.Error(), errors.As(err, &down) && down.Gone
	}
	_ = send(k.engine, a, fds...) // if the engine is gone, listen sees it
	closeAll(fds)
}
