package transfer

// Counters counts what happened since the start. They only grow.
type Counters struct {
	Requests   uint64 // RRQ and WRQ received, repeated ones included
	Started    uint64 // transfers granted
	Done       uint64 // transfers of which the last block was acknowledged, or sent before the client closed its port
	Probes     uint64 // size probes: ended by the client right after the OACK
	Failed     uint64 // transfers ended by the client's ERROR, or by ICMP before everything was sent
	Abandoned  uint64 // transfers given up: IdleLimit of silence, or their interface is gone
	Replaced   uint64 // transfers ended by a new request on their address and port
	LinkGone   uint64 // those among the abandoned whose interface is gone
	Repeated   uint64 // requests answered by repeating the first reply
	Late       uint64 // repeated requests ignored because the transfer is running
	NotFound   uint64 // ERROR 1 sent
	Refused    uint64 // ERROR 2 or 4 sent
	Full       uint64 // requests not answered because the table is full of running transfers
	Unfilled   uint64 // requests not answered because their file is not filled in yet for the node that asks
	Crowded    uint64 // requests not answered because their address has as many transfers as one may have
	Evicted    uint64 // transfers that nobody acknowledged, ended for others
	Yielded    uint64 // those among them that strangers had, ended for a node that is known
	Kept       uint64 // requests of strangers not answered because the rest of the table is kept for known nodes
	Pretended  uint64 // datagrams ignored that have the address and port of a known node's transfer, but not its hardware address
	Excess     uint64 // requests dropped because their address exceeds its rate limit
	NotOurs    uint64 // requests to a broadcast or foreign address, or from no usable one
	Malformed  uint64 // datagrams below four bytes, or of an opcode that servers do not get
	Stray      uint64 // ACK, ERROR and ICMP that belong to no transfer
	Acks       uint64 // ACKs that were progress
	Duplicates uint64 // ACKs of what was acknowledged already
	Stale      uint64 // ACKs of older blocks
	Future     uint64 // ACKs of blocks that were never sent
	Repairs    uint64 // windows started again because of an ACK
	Timeouts   uint64 // repeats because of silence
	DataFrames uint64 // DATA frames sent, repeated ones included
	DataBytes  uint64 // bytes of data in them
	Resent     uint64 // frames sent more than once: DATA and OACK
	Oacks      uint64 // OACK frames sent
}

// Each calls f for every counter, with the name under which it is published.
func (c *Counters) Each(f func(name string, v uint64)) {
	for _, e := range []struct {
		name string
		v    uint64
	}{
		{"requests", c.Requests}, {"started", c.Started}, {"done", c.Done}, {"probes", c.Probes},
		{"failed", c.Failed}, {"abandoned", c.Abandoned}, {"replaced", c.Replaced}, {"link_gone", c.LinkGone},
		{"repeated_requests", c.Repeated}, {"late_requests", c.Late}, {"not_found", c.NotFound},
		{"refused", c.Refused}, {"table_full", c.Full}, {"unfilled", c.Unfilled}, {"address_full", c.Crowded}, {"evicted", c.Evicted},
		{"evicted_for_known", c.Yielded}, {"kept_for_known", c.Kept}, {"pretended", c.Pretended}, {"drop_tftp_rate", c.Excess}, {"not_ours", c.NotOurs}, {"malformed", c.Malformed},
		{"stray", c.Stray}, {"acks", c.Acks}, {"duplicate_acks", c.Duplicates}, {"stale_acks", c.Stale},
		{"future_acks", c.Future}, {"repairs", c.Repairs}, {"timeouts", c.Timeouts},
		{"data_frames", c.DataFrames}, {"data_bytes", c.DataBytes}, {"resent_frames", c.Resent}, {"oacks", c.Oacks},
	} {
		f(e.name, e.v)
	}
}
