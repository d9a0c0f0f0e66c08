package core

import "bootstorm/proto"

// Counters counts what the core saw and did since it was made. Only the worker
// writes them; the cold side reads a copy.
type Counters struct {
	Frames      uint64              // frames handed to Step
	Bad         [proto.Drops]uint64 // frames that ParseFrame refused, by reason
	Other       uint64              // well-formed frames for a port that is not ours
	ARP         uint64              // ARP messages seen
	TFTP        uint64              // datagrams to port 69
	Unreachable uint64              // ICMP port unreachable from clients

	// DHCP drops: malformed or not for a server. None of them is answered.
	Short    uint64 // shorter than the fixed header
	NotBoot  uint64 // op is not BOOTREQUEST
	Hardware uint64 // hlen above 16, or 0 without a client identifier
	Options  uint64 // unreadable options, or a required one missing
	Type     uint64 // message type that only servers send, or unknown
	NoLink   uint64 // interface unknown, or it has no address to answer from

	// Messages received, by type. PXE: to port 4011, whatever their type.
	Discover, Request, Decline, Release, Inform, Bootp, PXE uint64
	// Replies made. Ack includes those to INFORM and PXE, and those that are
	// still held; Reply is BOOTP's.
	Offer, Ack, Nak, Reply uint64
	// Silence counts well-formed messages deliberately left unanswered.
	Silence uint64
	// Replies not made: the ring of held ones is full, or the journal takes no
	// more records.
	HoldFull, NoJournal uint64
	// Overtaken counts acknowledgements whose lease ended while they waited.
	Overtaken uint64
	// Records is how many lease records were produced, Reused how many
	// acknowledgements needed none (dhcp-cache-threshold).
	Records, Reused uint64
	// Dropped because their sender exceeds its rate limit.
	Excess uint64
	// Offers taken back from clients of whom nothing is known.
	TakenBack uint64
	// Conflicts that were not believed, since there were too many.
	Doubtful uint64
	// Replies of other DHCP servers seen, and those of servers that the
	// configuration permits; a reply that cannot be read is neither.
	Rogue, Permitted uint64
	// Conflicts seen by ARP; addresses put out of service, and taken back because
	// nothing else was free; leases that ended by time; ARP requests sent.
	Conflicts, Abandoned, Reclaimed, Expired, Probes uint64
	// Router solicitations seen, and those answered with an advertisement.
	Solicits, Adverts uint64
	// Answers sent once more to booting nodes that did nothing after the first, and
	// those for which there was no room to do so.
	Repeats, RepeatsLost uint64
	// ARP requests for this server that were answered, since the kernel did not.
	ARPAnswers uint64
}

// Each calls f with every counter and its name. For the cold side.
func (c *Counters) Each(f func(name string, v uint64)) {
	f("frames", c.Frames)
	for d := proto.OK + 1; d < proto.Drops; d++ {
		f("drop_"+d.String(), c.Bad[d])
	}
	for _, v := range c.named() {
		f(v.name, *v.at)
	}
}

type named struct {
	name string
	at   *uint64
}

// named lists the plain counters in the order in which they are shown.
func (c *Counters) named() []named {
	return []named{
		{"drop_port", &c.Other}, {"drop_dhcp_short", &c.Short}, {"drop_dhcp_op", &c.NotBoot},
		{"drop_dhcp_hardware", &c.Hardware}, {"drop_dhcp_options", &c.Options}, {"drop_dhcp_type", &c.Type},
		{"drop_dhcp_link", &c.NoLink},
		{"drop_dhcp_rate", &c.Excess},
		{"arp", &c.ARP}, {"tftp", &c.TFTP}, {"unreachable", &c.Unreachable},
		{"discover", &c.Discover}, {"request", &c.Request}, {"decline", &c.Decline}, {"release", &c.Release},
		{"inform", &c.Inform}, {"bootp", &c.Bootp}, {"pxe", &c.PXE},
		{"offer", &c.Offer}, {"ack", &c.Ack}, {"nak", &c.Nak}, {"bootp_reply", &c.Reply}, {"silence", &c.Silence},
		{"hold_full", &c.HoldFull}, {"no_journal", &c.NoJournal}, {"overtaken", &c.Overtaken},
		{"records", &c.Records}, {"reused", &c.Reused},
		{"offers_taken_back", &c.TakenBack}, {"conflicts_doubtful", &c.Doubtful},
		{"rogue_replies", &c.Rogue}, {"permitted_server_replies", &c.Permitted},
		{"conflicts", &c.Conflicts}, {"abandoned", &c.Abandoned}, {"reclaimed", &c.Reclaimed},
		{"expired", &c.Expired}, {"probes", &c.Probes},
		{"solicitations", &c.Solicits}, {"advertisements", &c.Adverts},
		{"answers_repeated", &c.Repeats}, {"answers_not_watched", &c.RepeatsLost},
		{"arp_answers", &c.ARPAnswers},
	}
}
