package batch

// eventNames are the names of the kinds of event for machines that read.
var eventNames = [EventKinds]string{
	EventDiscover: "discover", EventOffer: "offer", EventRequest: "request", EventAck: "ack",
	EventNak: "nak", EventRelease: "release", EventDecline: "decline", EventInform: "inform",
	EventBootp: "bootp", EventSilence: "silence", EventConflict: "conflict",
	EventAbandoned: "abandoned", EventReclaimed: "reclaimed", EventLog: "log",
	EventTransferStart: "transfer_start", EventTransferDone: "transfer_done",
	EventTransferProbe: "transfer_probe", EventTransferError: "transfer_error",
	EventNotFound: "not_found", EventRefused: "refused", EventFull: "full",
	EventTransferProgress: "transfer_progress",
	EventExcess:           "excess", EventRogue: "rogue_server", EventRival: "answered_by_rogue", EventDoubtful: "conflicts_doubtful",
}

// String returns the name of the kind in logs and in the API.
func (k EventKind) String() string {
	if k < EventKinds && eventNames[k] != "" {
		return eventNames[k]
	}
	return "unknown"
}

// reasonNames are the names of the reasons, likewise.
var reasonNames = [Reasons]string{
	ReasonNoSubnet: "no_subnet", ReasonNoFreeAddress: "no_free_address", ReasonNotPermitted: "not_permitted",
	ReasonDenied: "denied", ReasonIgnored: "ignored", ReasonOtherServer: "other_server",
	ReasonNotOurAddress: "not_our_address", ReasonUnknownLease: "unknown_lease", ReasonTaken: "taken",
	ReasonLeaseLimit: "lease_limit", ReasonDuplicateAddress: "duplicate_address",
	ReasonDeclinedByClient: "declined", ReasonMalformed: "malformed", ReasonTransfersFull: "transfers_full",
	ReasonHoldFull: "hold_full", ReasonNoJournal: "no_journal", ReasonDuplicatesAllowed: "duplicates",
	ReasonServerAddress: "server_address", ReasonNotFilled: "not_filled",
}

// String returns the name of the reason in logs and in the API, "" for
// ReasonNone.
func (r Reason) String() string {
	if r < Reasons {
		return reasonNames[r]
	}
	return "unknown"
}
