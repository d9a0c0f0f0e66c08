//go:build linux

package ceiling

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootstorm/bench/segment"
	"bootstorm/engine/link"
	"bootstorm/proto"
)

// EngineOptions are those of Engine.
type EngineOptions struct {
	Options
	Daemon string // path of bootstorm
	Dir    string // for its files; exists
}

// What the engine is asked for.
const (
	engineFile    = "file"
	engineSize    = 16 << 20
	engineReady   = "ready: DHCP" // not the "already" of a derived configuration
	enginePort    = 3000          // the first of the peer's ports
	crowd         = 32            // transfers at a time, but for the lockstep client, which is alone
	opRRQ, opOACK = 1, 6
)

// engineWindows are the windows that the crowd uses: a lockstep client's, and those
// of firmware and boot loaders.
var engineWindows = []int{1, 4, 8, 16}

// Engine measures the daemon with the same two ends: how long a lockstep client
// waits for its next block, beside a bare echo, and how many frames it moves in a
// second of processor time, beside the calls alone. It needs lab.Enter.
func Engine(ctx context.Context, o EngineOptions) (*EngineResult, error) {
	r, err := newRig(o.ServerCore, o.PeerCore)
	if err != nil {
		return nil, err
	}
	defer r.close()
	root := filepath.Join(o.Dir, "tftp")
	if err := errors.Join(os.Mkdir(root, 0o755), os.WriteFile(filepath.Join(root, engineFile), make([]byte, engineSize), 0o644)); err != nil {
		return nil, err
	}
	var bare, turns []time.Duration
	rates := map[int][]EngineRate{}
	for round := 1; round <= o.Rounds; round++ {
		alone := map[int]float64{}
		for _, w := range engineWindows {
			if alone[w], err = r.bareCrowd(w, o.Each); err != nil {
				return nil, err
			}
		}
		t, err := echo(r, o.Each, false)
		if err != nil {
			return nil, fmt.Errorf("echo: %w", err)
		}
		bare = append(bare, t...)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := r.withDaemon(&o, root, round, func(pid int) error {
			for _, w := range engineWindows {
				rate, err := r.crowd(pid, w, o.Each)
				if err != nil {
					return err
				}
				rate.Alone = alone[w]
				rates[w] = append(rates[w], rate)
			}
			t, err := r.lockstep(o.Each)
			turns = append(turns, t...)
			return err
		}); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			fmt.Fprintf(o.Progress, "round %d of %d\n", round, o.Rounds)
		}
	}
	result := &EngineResult{Rounds: o.Rounds, Each: o.Each, Bare: summarizeEcho(false, bare), Engine: summarizeEcho(false, turns)}
	for _, w := range engineWindows {
		result.Rates = append(result.Rates, middle(rates[w]))
	}
	return result, nil
}

// withDaemon calls f while the daemon serves the file. Outside of it the rig
// holds the ports, and no socket of the daemon costs a copy of each frame.
func (r *rig) withDaemon(o *EngineOptions, root string, round int, f func(pid int) error) (err error) {
	if err := r.ports.Close(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, r.server.Do(func() (err error) {
			r.ports, err = link.Reserve(serverIf)
			return err
		}))
	}()
	r.ports = io.NopCloser(nil)
	p, err := r.server.Start("taskset", "-c", strconv.Itoa(o.ServerCore), o.Daemon, "serve", "--interface", serverIf, "--tftp-root", root,
		"--lease-file", filepath.Join(o.Dir, fmt.Sprintf("leases-%d", round)))
	if err != nil {
		return err
	}
	defer p.Stop()
	if _, err := p.WaitLine(engineReady, startPatience); err != nil {
		return fmt.Errorf("%s does not serve: %w\n%s", o.Daemon, err, p.Output())
	}
	if err := f(p.Pid()); err != nil {
		return fmt.Errorf("%w\n%s", err, p.Output())
	}
	return nil
}

const startPatience = 30 * time.Second

// reader is a client that reads the file again and again.
type reader struct {
	port    uint16
	window  int
	next    uint16 // the block that is expected
	waiting time.Time
}

const (
	askAgain       = 200 * time.Millisecond // readers wait so long before they ask again
	ackAgain       = 20 * time.Millisecond  // and before they say again what they have
	enginePatience = 20 * time.Second
)

// load is the peer's end as a number of readers.
type load struct {
	conn    *segment.Conn
	readers []reader
	frames  uint64 // in both directions
	data    bool   // a block has come
	turn    func(time.Duration)
	err     error
}

// openLoad makes readers with a window each. turn, if not nil, is called with
// what each waited for a block.
func (r *rig) openLoad(count, window int, turn func(time.Duration)) (*load, error) {
	l := &load{turn: turn}
	if err := r.peer.Do(func() (err error) { l.conn, err = segment.Open(peerIf); return err }); err != nil {
		return nil, err
	}
	for i := range count {
		l.readers = append(l.readers, reader{port: enginePort + uint16(i), window: window})
	}
	return l, nil
}

// run reads for a while. The peer polls, as a real client's card would interrupt
// it at once.
func (l *load) run(each time.Duration) error {
	for i := range l.readers {
		l.ask(&l.readers[i])
	}
	last, looked := time.Now(), time.Now()
	for end := last.Add(each); ; {
		if err := l.conn.Flush(); err != nil {
			return err
		}
		n, err := l.conn.Receive(l.receive)
		if err = errors.Join(err, l.err); err != nil {
			return err
		}
		now := time.Now()
		if n > 0 {
			last = now
		}
		if now.Sub(looked) > ackAgain/4 {
			looked = now
			l.repeat(now)
		}
		switch {
		case now.After(end) && l.data: // on a busy machine the first block may take longer than that
			return nil
		case now.Sub(last) > enginePatience:
			return errNoEcho
		}
	}
}

// repeat says again what has not been answered for long, as real clients do: a request
// may come before the daemon's first look, and on a busy machine the peer's buffer
// overflows. The calls alone send nothing twice by themselves: a reader that is not
// helped on would be missing from then on, and in the end all are.
func (l *load) repeat(now time.Time) {
	for i := range l.readers {
		switch r := &l.readers[i]; {
		case r.next == 0 && now.Sub(r.waiting) > askAgain:
			l.ask(r)
		case r.next > 0 && now.Sub(r.waiting) > ackAgain:
			l.say(r, binary.BigEndian.AppendUint16([]byte{0, opAck}, r.next-1))
		}
	}
}

// ask requests the file, from a port that was not used lately.
func (l *load) ask(r *reader) {
	r.port += uint16(len(l.readers))
	if r.port < enginePort {
		r.port += enginePort
	}
	r.next = 0
	text := fmt.Sprintf("\x00%c%s\x00octet\x00blksize\x00%d\x00", opRRQ, engineFile, dataBlock)
	if r.window > 1 {
		text += fmt.Sprintf("windowsize\x00%d\x00", r.window)
	}
	l.say(r, []byte(text))
}

func (l *load) say(r *reader, payload []byte) {
	frame := requestFrom(r.port, proto.PortTFTP, payload)
	r.waiting = time.Now()
	l.frames++
	for !l.conn.Queue(frame) && l.err == nil {
		l.err = l.conn.Flush()
	}
}

// receive takes a frame from the server.
func (l *load) receive(frame []byte, checksum bool) {
	var p proto.Packet
	if proto.ParseFrame(&p, frame, checksum) != proto.OK || p.Kind != proto.KindUDP || len(p.Payload) < dataHeader {
		return
	}
	r := &l.readers[int(p.DstPort)%len(l.readers)]
	for i := range l.readers { // a port says which, as long as they do not drift apart
		if l.readers[i].port == p.DstPort {
			r = &l.readers[i]
			break
		}
	}
	if r.port != p.DstPort {
		return
	}
	l.frames++
	number := uint16(p.Payload[2])<<8 | uint16(p.Payload[3])
	switch op := p.Payload[1]; {
	case op == opOACK && r.next == 0:
		r.next = 1
		l.say(r, []byte{0, opAck, 0, 0})
	case op == opData && number == r.next:
		if l.turn != nil {
			l.turn(time.Since(r.waiting))
		}
		r.next++
		l.data = true
		switch last := len(p.Payload) < dataHeader+dataBlock; {
		case last:
			l.say(r, []byte{0, opAck, p.Payload[2], p.Payload[3]})
			l.ask(r)
		case int(number)%r.window == 0:
			l.say(r, []byte{0, opAck, p.Payload[2], p.Payload[3]})
		}
	case op == opData || op == opOACK: // again
	default:
		l.err = fmt.Errorf("the server answers %q", p.Payload)
	}
}

// crowd measures the daemon's processor time under a crowd of readers.
func (r *rig) crowd(pid, window int, each time.Duration) (EngineRate, error) {
	rate := EngineRate{Window: window, Transfers: crowd}
	l, err := r.openLoad(crowd, window, nil)
	if err != nil {
		return rate, err
	}
	defer l.conn.Close()
	before, begun := processTime(pid), time.Now()
	if err := onOwnCore(r.cores[1], func() error { return l.run(each) }); err != nil {
		return rate, fmt.Errorf("windowsize %d: %w", window, err)
	}
	cpu := processTime(pid) - before
	rate.Frames = float64(l.frames) / time.Since(begun).Seconds()
	rate.PerCPU = float64(l.frames) / max(cpu.Seconds(), 1e-9)
	return rate, nil
}

// lockstep measures how long a client that is alone and has no window waits.
func (r *rig) lockstep(each time.Duration) (took []time.Duration, err error) {
	l, err := r.openLoad(1, 1, func(t time.Duration) { took = append(took, t) })
	if err != nil {
		return nil, err
	}
	defer l.conn.Close()
	return took, onOwnCore(r.cores[1], func() error { return l.run(each) })
}

// onOwnCore runs f on a core and waits for it.
func onOwnCore(core int, f func() error) error {
	result := make(chan error, 1)
	go func() { result <- onCore(core, f) }()
	return <-result
}

// processTime is the processor time of all threads that a process has, from
// /proc/PID/task/TID/schedstat: the first figure, nanoseconds. The daemon's
// helpers are processes of their own and do not count.
func processTime(pid int) (sum time.Duration) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, name := range files {
		text, _ := os.ReadFile(name)
		if f := strings.Fields(string(text)); len(f) > 0 {
			n, _ := strconv.ParseInt(f[0], 10, 64)
			sum += time.Duration(n)
		}
	}
	return sum
}

// middle is the round in the middle by share.
func middle(rates []EngineRate) EngineRate {
	slices.SortFunc(rates, func(a, b EngineRate) int {
		if a.Share() < b.Share() {
			return -1
		}
		return 1
	})
	return rates[(len(rates)-1)/2]
}
