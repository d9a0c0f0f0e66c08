// Package pcap drives the core with packet captures. It reads and writes pcap
// and pcapng files, cuts file contents out of them, and replays the client
// frames of a capture through a core, comparing the core's answers with those
// of the server that was captured.
//
// # Replay
//
// A capture holds both sides of a conversation. Survey reads the captured
// server's side: who it was, which answer it gave to which request, which files
// it served and how large they are. Run then feeds every client frame to an
// Engine at the capture's own times, with the engine's timers running in
// between and lease records durable at once, and records what the engine sends.
// The two sides are compared message by message:
//
//   - DHCP answers are paired by transaction id, hardware address, message type
//     and order, and compared field by field and option by option;
//   - TFTP answers are paired by the client's address and port and the request,
//     and compared by the options acknowledged, the errors, and each block's
//     length (its bytes too, when both sides have the real file).
//
// What the server's operating system sends (ARP replies, ICMP echo) and what
// other protocols carry (IPv6, HTTP) is not compared; neither are TTL, type of
// service, IP identification and the server's UDP port in a transfer.
//
// # Adaptations
//
// The captured client answers the captured server, so its frames are adapted
// where the two servers legitimately differ: the server's transfer port becomes
// 69, an address that our side chose differently is replaced wherever the
// client repeats it, the window is limited to what the captured server granted,
// and acknowledgements that an excerpt leaves out are filled in. Every kind of
// adaptation is counted in Result.Adapted, so that a reader knows what was not
// replayed literally.
package pcap
