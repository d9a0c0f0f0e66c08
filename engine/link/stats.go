//go:build linux

package link

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Stats are counts since Open.
type Stats struct {
	ReceiveCalls uint64 // recvmmsg or recvmsg calls
	ReceiveEmpty uint64 // of them, those that brought nothing
	Frames       uint64 // frames received
	Truncated    uint64 // of them, longer than batch.FrameCap and cut
	Unfinished   uint64 // of them, with a UDP checksum that the sender's kernel left unfinished
	KernelDrops  uint64 // frames lost because the receive buffer was full

	SendCalls  uint64 // sendmmsg or sendmsg calls
	SentFrames uint64 // frames handed to the kernel
	SentBatch  uint64 // kernel messages: a super-frame is one
	Full       uint64 // calls refused because the send buffer was full: the frames stay and are sent later
	Refused    uint64 // calls refused by the interface's queue: likewise
	Dropped    uint64 // frames given up: interface down, or an error that repetition does not mend
	Downgrades uint64 // changes to a lower send rung after an error

	PollCalls uint64 // ppoll calls
	Wakes     uint64 // eventfd reads
}

// counters are the parts of Stats that the driving goroutine counts, once per
// system call; they are atomic because Stats may be asked for from anywhere.
type counters struct {
	receiveCalls, receiveEmpty, frames, truncated, unfinished, kernelDrops             atomic.Uint64
	sendCalls, sentFrames, sentBatch, full, refused, dropped, downgrades, polls, wakes atomic.Uint64
}

// Stats returns the counts. It may be called from any goroutine, until Close.
func (s *Set) Stats() Stats {
	s.readKernelDrops()
	c := &s.stats
	return Stats{
		ReceiveCalls: c.receiveCalls.Load(), ReceiveEmpty: c.receiveEmpty.Load(), Frames: c.frames.Load(),
		Truncated: c.truncated.Load(), Unfinished: c.unfinished.Load(), KernelDrops: c.kernelDrops.Load(),
		SendCalls: c.sendCalls.Load(), SentFrames: c.sentFrames.Load(), SentBatch: c.sentBatch.Load(),
		Full: c.full.Load(), Refused: c.refused.Load(), Dropped: c.dropped.Load(), Downgrades: c.downgrades.Load(),
		PollCalls: c.polls.Load(), Wakes: c.wakes.Load(),
	}
}

// readKernelDrops adds what the kernel has counted; reading resets its count.
func (s *Set) readKernelDrops() {
	for i := range s.links {
		for _, fd := range s.links[i].in {
			if t, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
				s.stats.kernelDrops.Add(uint64(t.Drops))
			}
		}
	}
}
