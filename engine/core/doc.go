// Package core is the pure part of the engine: a function from frames and a
// time to frames. It classifies what a driver received, answers DHCP and PXE,
// observes ARP and answers it where the kernel does not, hands TFTP to package
// transfer, and holds every acknowledgement until the record of its lease is on
// disk. It reads no clock, takes no lock, logs nothing and does not allocate after
// New.
//
// One worker owns a Core. All state is allocated by New: the lease table for
// every pool address of the plan, the transfers, and the ring of held
// acknowledgements.
//
// # A message's way
//
//	Step      classify the frame                                step.go
//	read      one parse at the gate; what is malformed is       message.go
//	          counted under a name and goes no further
//	decide    a verdict: what is answered and why. It changes   decide.go, one file
//	          nothing, so Explain can ask for one, too          per message type
//	answer    carries the verdict out: composes the reply,      answer.go, reply.go
//	          changes the lease table, writes the record
//	hold      an acknowledgement waits for its record           hold.go
//
// # What always holds
//
//   - An address is promised to one client at a time: an ACK, its lease time and
//     the end of the lease in the table are counted from the same moment, on the
//     monotonic clock.
//   - An ACK leaves after its record is durable, and only if the lease still
//     stands then. What a crash can lose, no client has been told.
//   - One frame gets at most one reply, sent twice at most; a malformed one gets
//     none.
//   - What costs nothing to send, from whatever address, takes nothing from a
//     client that is known: see guard.go.
//   - Load is never answered with a NAK, only with silence: firmware ends its
//     boot on a NAK, and asks again after silence.
//
// # Defaults for a node that is booting
//
// Each of them spares a real client a wait or a question, is named by explain,
// and can be switched off in any scope. None is meant for an installed system but
// the last, which is for every node with an address from us.
//
//	default                what it is                                      switched off by                  file
//	no proxy               option 175.176 = 1 (ipxe.no-pxedhcp) to iPXE,   boot-hints off, or the option    hints.go
//	                       in an OFFER or ACK that names a boot file       set otherwise in the file
//	no router              a router advertisement with lifetime 0, no      ipv6-router-advertisement off    advertise.go
//	                       prefix, M = O = 0, for iPXE's solicitation
//	boot file size         option 13 to UEFI firmware that asks for it,    boot-hints off, or the option    hints.go
//	                       if the file is one of ours and at most 32 MiB   set otherwise in the file
//	repeated answer        an OFFER or ACK to firmware or iPXE that no     repeat-answers off              repeat.go
//	                       message of the node follows is sent once more
//	own ARP answer         a node's second request for our address, after  answer-arp off                  ownarp.go
//	                       which the kernel is taken to be silent
//
// What they save, measured with OVMF 2022.11 and Debian's iPXE 2019 (make boot),
// some boots each, in seconds from iPXE's first DISCOVER to its first TFTP request
// and from power on to rEFInd's menu. The machine is emulated on two cores that
// had other work beside it, so what it computes itself varies:
//
//	                       DISCOVER to request      power on to menu
//	none of them           17.0, 18.5, 20.1, 23.7   36.9, 41.1, 41.2, 44.1
//	boot-hints alone       23.0, 32.8               61.3, 72.7     IPv6 takes as long as it takes
//	no router alone        3.2, 4.2                 35.5, 39.8
//	all                    0.038, 0.048, 0.055      17.4, 17.9, 18.4
//	all, overloaded        0.045 to 0.98 in six     24.3 to 76.9
//
// With the size the firmware sends one TFTP request instead of two. The search
// for a proxy is left to iPXE where the reply names no boot file, since a proxy
// may. Where IPv6 routers or DHCPv6 are there for iPXE to use, the advertisement
// has to be switched off: it speaks for this server alone, but iPXE goes by
// whichever comes first.
//
// # Clocks
//
// Leases end by the monotonic clock; the wall clock is for the disk alone. So a
// step of it ends and prolongs nothing, and leases in force are written again
// with the times that mean the same by the new clock (clock.go). A wall clock
// that is behind the newest lease at start, such as one at 1970, is put ahead to
// that lease until it is set; a lease whose record lies in its future gets its
// whole length, and no more. What cannot be told from a long time off is a clock
// that is far ahead at start: leases that ended by it are free, and remembered.
//
// # Where it differs from dhcpd
//
// The rules are dhcpd's unless they make a machine fail to boot. A lease belongs
// to the hardware address, since firmware, iPXE and the system on one machine
// present different client identifiers, or none; ignore-client-uids off brings
// dhcpd's way back. An offer is held for its client, and refused to others. A
// client that asks for another address gives up the one that it has. A REQUEST
// for another server is left alone, a DECLINE from another client has no effect,
// and a message with op 2 is no request. ping-check delays nothing, ping-timeout
// says when an address counts as silent, and probes are bounded: see probe.go.
//
// A lease that is restored counts against its class (lease limit) from the first
// message on, since its record says which; dhcpd's own records do, too. What was
// leased before a class had a limit counts from its renewal on.
package core
