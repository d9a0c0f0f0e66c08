// Package bench simulates machines that boot from the network, by the thousand,
// and checks everything the server does to them.
//
// The models are machines in the narrow sense: frames and a time go in, frames
// and a deadline come out. They read no clock, start no goroutine and draw
// random numbers from a seed. Two drivers run them: Simulate against the core in
// one process and in virtual time, where a seed repeats a storm exactly, and
// Run against a real server over an Ethernet interface.
//
// The clients behave as edk2's PXE client, a BIOS card's PXE ROM, iPXE, GRUB,
// U-Boot, a loader with large windows and a Linux DHCP client do on the wire: the
// same options in the same order, the same timers, the same reaction to a lost,
// late or repeated frame. Every byte received is compared with what the file
// should hold, every reply with what its client needs, and every address with who
// else holds it.
//
// Vocabulary: a node is one machine. A boot is one passage through a Sequence
// from power-on to its last step. A phase is one step of it as the report shows
// it: one DHCP exchange, or one file.
package bench
