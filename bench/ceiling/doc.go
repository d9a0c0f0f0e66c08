// Package ceiling measures how many frames this machine moves through the
// socket calls that the daemon makes, with no engine between them: what package
// bench measures of the daemon can then be quoted as a share of what is possible.
//
// The calls are those of engine/link, on each of its rungs, over a veth pair in
// private network namespaces. The server's end runs on one core, the peer's end
// (bench/segment) on another; both are threads of this process. A veth moves a
// frame into the receiver's socket within the sender's system call, so the work
// of both directions' delivery is on the sender's core, as it is in a storm on
// one machine; with a real card part of it would be on the receiver's.
package ceiling
