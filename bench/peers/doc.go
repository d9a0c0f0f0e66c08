// Package peers storms bootstorm and the servers that it replaces with the same
// simulated nodes, one server after the other, on one machine and in one run.
//
// Each server runs in a private network namespace, pinned to one processor
// core; the nodes (package bench, over an AF_PACKET socket) have another. Every
// server does the guide's job: firmware gets ipxe.efi, iPXE gets refind.pxe,
// over DHCP and TFTP, with its leases in a file on disk. The peers run twice,
// once as a distribution installs them and once tuned as somebody who knows
// them would: every limit raised, every courtesy that takes time off, and the
// receive buffers of their sockets enlarged.
//
// Vocabulary: a peer is a Server other than bootstorm. A run is one storm
// against one Server. A round is one run of each Server; rounds are interleaved
// so that what changes on the machine meets all of them.
package peers
