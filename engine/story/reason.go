package story

import (
	"fmt"
	"strings"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/proto/tftp"
)

// cause is why a node is stuck.
type cause uint8

const (
	causeNone          cause = iota
	causeDone                // nothing is wrong: that time passes ends the boot
	causeRefused             // its message got no answer, or a NAK
	causeOtherServer         // it chose another DHCP server
	causeNoOffer             // it asked, and nothing came of it
	causeNotRequested        // it was offered an address and did not take it
	causeNoAck               // it took it, and no acknowledgement was made
	causeDisk                // its lease cannot be written
	causeConflict            // another machine has its address
	causeNoFileNamed         // its lease names no boot file
	causeNotAsked            // it never asked for its boot file
	causeNotFound            // it asked for a file that is not there
	causeFileRefused         // its request for a file was refused
	causeTransfersFull       // too many transfers at a time
	causeClosed              // it closed its port in the middle of a file
	causeSilent              // it fell silent in the middle of a file
	causeClientError         // it ended a file with an error
	causeNoComeback          // it has a program that should go on, and does not
	causeLoop                // it restarts over and over
)

// reason says in words why a node is stuck, and what to do.
func (b *Book) reason(n *node) string {
	if n.state != stuck {
		return ""
	}
	if n.cause.cause == causeLoop {
		text := fmt.Sprintf("it restarted %d times without booting", n.failed)
		if n.before.cause != causeNone {
			return text + "; each time or the last: " + b.explain(n, &n.before)
		}
		if n.file != 0 {
			return text + fmt.Sprintf("; the last file it asked for is %q: look at its console for what it says after that", b.text(n.file))
		}
		return text + "; look at its console and its boot order"
	}
	return b.explain(n, &n.cause)
}

// explain puts a problem of a node into words.
func (b *Book) explain(n *node, p *problem) string {
	switch p.cause {
	case causeRefused:
		return b.explainRefusal(p)
	case causeOtherServer:
		return b.serverWords(p.addr.String(), p.addr == 0) + " answered it, and it chose that one; stop that server, or let it not answer this network"
	case causeNoOffer:
		return "it asked for an address and fell silent; look at its console and its link"
	case causeNotRequested:
		return b.explainOffer(n)
	case causeNoAck:
		return "it took its address, and no acknowledgement was made; if the log says nothing of the lease file, look at \"bootstorm explain\" for it"
	case causeDisk:
		return b.explainDisk(p)
	case causeConflict:
		return b.explainConflict(p)
	case causeNoFileNamed:
		return explainNoFile(n)
	case causeNotAsked:
		return b.explainNotAsked(n, p)
	}
	return b.explainFile(n, p)
}

// explainFile puts what became of a file into words.
func (b *Book) explainFile(n *node, p *problem) string {
	file := b.text(p.file)
	switch p.cause {
	case causeNotFound:
		text := b.text(p.text)
		if strings.Contains(text, file) && text != "" {
			return text
		}
		if text == "" {
			text = "correct the name in the configuration or the boot script, or put the file into " + or(b.root, "the boot files' directory")
		}
		return fmt.Sprintf("it asked for the file %q, which does not exist; %s", file, text)
	case causeFileRefused:
		if text := b.text(p.text); text != "" {
			return text
		}
		return fmt.Sprintf("its request for %q was refused with TFTP error %d: this server only reads, and only below %s", file, p.extra, or(b.root, "its root"))
	case causeTransfersFull:
		return "all transfers that this server can have at a time are in use, and it has not asked again; it will, unless it gave up: look at its console"
	case causeClosed:
		return fmt.Sprintf("it closed its port in the middle of %q (ICMP port unreachable): its loader gave up or it was reset; look at its console, and whether a firewall on the way answers for it", file)
	case causeSilent:
		return fmt.Sprintf("it fell silent in the middle of %q: it lost power, its link or its patience; look at its console, its link and the switch", file)
	case causeClientError:
		return fmt.Sprintf("it ended %q itself with TFTP error %d%s; look at its console: out of memory, a file too large for it, or a bad option are usual", file, p.extra, errorWord(p.extra))
	case causeNoComeback:
		return b.explainComeback(n, p)
	}
	return ""
}

// errorWord names a TFTP error.
func errorWord(code uint32) string {
	switch uint16(code) {
	case tftp.ErrNotFound:
		return " (file not found)"
	case tftp.ErrAccess:
		return " (access violation)"
	case tftp.ErrIllegal:
		return " (illegal operation)"
	case tftp.ErrOptionDenied:
		return " (option refused)"
	case 3:
		return " (no space)"
	}
	return ""
}

// explainRefusal says why a message got no answer. The engine's words have the
// place in the configuration.
func (b *Book) explainRefusal(p *problem) string {
	text := b.text(p.text)
	switch p.reason {
	case batch.ReasonNoFreeAddress:
		return or(text, "no pool address is left: widen a range, shorten max-lease-time, or remove leases of machines that are gone")
	case batch.ReasonDenied, batch.ReasonIgnored, batch.ReasonNotPermitted:
		return or(text, "the configuration denies it") + "; \"bootstorm explain\" shows the reply that it would get"
	case batch.ReasonNoSubnet:
		return or(text, "no subnet is declared for its network")
	case batch.ReasonLeaseLimit:
		return or(text, "its class has as many leases as \"lease limit\" grants") + "; raise the limit if this node is to boot"
	}
	return or(text, "its message was left without answer ("+p.reason.String()+")")
}

// explainOffer says why an offer may not have been taken.
func (b *Book) explainOffer(n *node) string {
	if r := b.recentRogue(); r != nil {
		return "it was offered an address and did not take it, and another DHCP server is on the network (" + r.who() + "): it took that one's; stop that server"
	}
	if n.again > 0 {
		return fmt.Sprintf("it was offered an address and asked again %s without taking it: the offers do not reach it, or lack something it wants; "+
			"look at the switch (VLAN, STP, DHCP snooping) and compare \"bootstorm explain\" with what it needs", times(n.again))
	}
	return "it was offered an address, did not take it and fell silent: it lost its link, was switched off, or took another server's; look at its console and its link"
}

// explainDisk says why no acknowledgement leaves.
func (b *Book) explainDisk(p *problem) string {
	if text := b.text(p.text); text != "" {
		return "its acknowledgement waits for the disk: " + text
	}
	if p.reason == batch.ReasonHoldFull {
		return "its acknowledgement waits for the disk: too many do; put the lease file on a faster one"
	}
	return "its acknowledgement waits for the disk: the lease file cannot be written; make room on it, and see the message about the lease file"
}

// explainConflict says who has a node's address.
func (b *Book) explainConflict(p *problem) string {
	who := "another machine"
	for i := range b.rogues {
		if r := &b.rogues[i]; r.kind == rogueConflict && r.addr == p.addr && r.hw.n > 0 {
			who = r.hw.String()
		}
	}
	if p.reason == batch.ReasonDeclinedByClient {
		return fmt.Sprintf("it found its address %s in use and declined it; look for a machine with that address set by hand", p.addr)
	}
	return fmt.Sprintf("its address %s is answered by %s, to whom it is not leased; give that machine another address, or take this one out of the configuration", p.addr, who)
}

// explainNoFile says why a lease names no boot file.
func explainNoFile(n *node) string {
	text := "it has an address, but its lease names no boot file"
	if n.phase == offered {
		text = "it does not take its offer, which names no boot file"
	}
	if n.arch != noArch && n.stage == stageFirmware {
		return text + fmt.Sprintf(": no rule of the configuration matches its architecture %d (%s); add a branch with a \"filename\" for it, "+
			"and try it with \"bootstorm explain --mac %s --arch %d\"", n.arch, archName(n.arch), n.hw, n.arch)
	}
	return text + fmt.Sprintf("; add a \"filename\" to the branch that it takes: \"bootstorm explain --mac %s\" shows which", n.hw)
}

// archName names an architecture of option 93 (RFC 4578, and IANA's list).
func archName(arch uint16) string {
	switch arch {
	case 0:
		return "BIOS"
	case 6:
		return "UEFI, 32 bits"
	case 7, 9:
		return "UEFI, 64 bits"
	case 10:
		return "UEFI, ARM 32 bits"
	case 11:
		return "UEFI, ARM 64 bits"
	case 15, 16, 17, 18, 19:
		return "UEFI HTTP boot"
	case 25, 26, 27:
		return "UEFI, RISC-V"
	case 39:
		return "UEFI, LoongArch"
	}
	return "not a common one"
}

// explainNotAsked says why a boot file may not have been asked for.
func (b *Book) explainNotAsked(n *node, p *problem) string {
	file := b.text(p.file)
	if file == "" {
		return "it has an address and asks for nothing; look at its console"
	}
	text := fmt.Sprintf("it has an address and was told to load %q, but never asked for it", file)
	switch {
	case n.again > 1:
		return text + ": it asked for its address again, so the acknowledgement does not reach it; look at the switch and, if leases are slow to reach the disk, at the lease file"
	case n.client == core.ClientIPXE:
		return text + "; look at its console: iPXE waits up to 16 s for an IPv6 router, and asks the address in next-server"
	}
	return text + "; look at its console, and whether next-server is this server and UDP port 69 is let in"
}

// explainComeback says why a program that was loaded may not have gone on.
func (b *Book) explainComeback(n *node, p *problem) string {
	file := b.text(p.file)
	switch kindOf(file) {
	case fileIPXE:
		return fmt.Sprintf("it never came back after %s: Secure Boot refuses the program, it is for another architecture than this machine's%s, "+
			"or its driver does not get the link up; look at its console, switch Secure Boot off, or try snponly.efi", file, archHint(n))
	case fileLoader:
		return fmt.Sprintf("it never came back after %s: Secure Boot refuses the program, it is for another architecture than this machine's%s, or it found no configuration; look at its console", file, archHint(n))
	}
	if next := b.texts.list[p.file].next; next != 0 {
		return fmt.Sprintf("it asked for nothing after %s, where others ask for %s; look at its console", file, b.text(next))
	}
	return fmt.Sprintf("it asked for nothing after %s, which fetches more; look at its console, and whether the script's conditions fit this machine", file)
}

// archHint names the node's architecture.
func archHint(n *node) string {
	if n.arch == noArch {
		return ""
	}
	return fmt.Sprintf(" (%d, %s)", n.arch, archName(n.arch))
}

// serverWords names another DHCP server.
func (b *Book) serverWords(addr string, unknown bool) string {
	if unknown {
		return "another DHCP server"
	}
	for i := range b.rogues {
		if r := &b.rogues[i]; r.kind == rogueServer && r.addr.String() == addr {
			return "another DHCP server (" + r.who() + ")"
		}
	}
	return "another DHCP server (" + addr + ")"
}

// who names a rogue.
func (r *rogue) who() string {
	switch {
	case r.hw.n > 0 && r.addr != 0:
		return r.hw.String() + " with " + r.addr.String()
	case r.hw.n > 0:
		return r.hw.String()
	case r.addr != 0:
		return r.addr.String()
	}
	return "its address is not known"
}

// times writes how often.
func times(n int32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// or is text, or what stands for none.
func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}
