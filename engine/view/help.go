package view

// counterHelp says what the engine's counters count, by their names in the feed.
var counterHelp = map[string]string{
	"abandoned": "Addresses put out of service, since somebody else uses them.", "advertisements": "Router advertisements sent to nodes that boot.",
	"answers_not_watched": "Answers to booting nodes that could not be repeated, for want of room.",
	"answers_repeated":    "Answers sent once more to booting nodes that did nothing after the first.",
	"arp_answers":         "ARP requests for this server that were answered in place of the kernel, whose ARP table is full.",
	"arp":                 "ARP messages seen.", "conflicts": "Addresses seen in use by a machine that they are not leased to.",
	"conflicts_doubtful": "Conflicts not believed, since more were reported than can be true.", "expired": "Leases that ended by time.",
	"frames": "Frames handed to the engine.", "held": "Acknowledgements that wait for the disk.",
	"hold_full":           "Acknowledgements not made, since too many waited for the disk.",
	"journal_compactions": "Times the lease file was written anew without old records.", "journal_file_bytes_now": "Size of the lease file.",
	"journal_live_bytes_now": "Part of the lease file that is in force.", "journal_records": "Lease records written.",
	"journal_sync_ns": "Time spent in fdatasync of the lease file.", "journal_syncs": "Syncs of the lease file.",
	"journal_waiting_now": "Lease records that wait for the disk.", "journal_failing": "1 while the lease file cannot be written.",
	"link_kernel_drops": "Frames lost in the kernel, since the receive buffer was full.", "link_received_frames": "Frames taken from the interfaces.",
	"link_send_drops": "Frames that an interface did not take.", "link_sent_frames": "Frames handed to the interfaces.",
	"links_down": "Interfaces that are down or gone.", "no_journal": "Acknowledgements not made, since the lease file takes no records.",
	"offers_taken_back": "Offers taken back for a known client, since no other address was free.",
	"overtaken":         "Acknowledgements whose lease ended while they waited for the disk.", "permitted_server_replies": "Replies of other DHCP servers that are permitted.",
	"probes": "ARP requests sent to find out whether addresses are in use.", "reclaimed": "Addresses out of service that were offered again, since no other was free.",
	"records": "Lease records produced.", "reused": "Acknowledgements that needed no new record (dhcp-cache-threshold).",
	"rogue_replies": "Replies of other DHCP servers.", "silence": "DHCP messages deliberately left unanswered.",
	"solicitations": "Router solicitations seen.", "unreachable": "ICMP port unreachable from clients.",
	"story_ignored": "Events that say of no node.", "story_replaced": "Nodes forgotten to make room for others.", "story_untold": "Events for which nobody listened in time.",
	"tftp": "Datagrams to the TFTP port.", "tftp_abandoned": "Transfers given up, since the client fell silent or its interface is gone.",
	"tftp_acks": "ACKs that were progress.", "tftp_address_full": "Requests left unanswered, since their address has too many transfers.",
	"tftp_data_bytes": "File bytes sent, repeated ones included.", "tftp_data_frames": "DATA frames sent, repeated ones included.",
	"tftp_done": "Transfers that came to their end.", "tftp_drop_tftp_rate": "Requests dropped, since their address exceeds tftp-rate-limit.",
	"tftp_duplicate_acks": "ACKs of what was acknowledged already.", "tftp_evicted": "Transfers never acknowledged that made room for others.",
	"tftp_evicted_for_known": "Those among the evicted that unknown clients had, and a known node took.",
	"tftp_kept_for_known":    "Requests of unknown clients left unanswered, since the rest of the transfers is kept for known nodes.",
	"tftp_pretended":         "Datagrams ignored that have the address and port of a known node's transfer, but not its hardware address.",
	"tftp_failed":            "Transfers ended by the client's ERROR or by ICMP.", "tftp_future_acks": "ACKs of blocks that were never sent.",
	"tftp_late_requests": "Repeated requests ignored, since the transfer is running.", "tftp_link_gone": "Transfers given up with their interface.",
	"tftp_malformed": "TFTP datagrams that cannot be read.", "tftp_not_found": "Requests for files that are not there.",
	"tftp_not_ours": "Requests to a broadcast or foreign address, or from no usable one.", "tftp_oacks": "OACK frames sent.",
	"tftp_probes": "Requests that asked only for the size of a file.", "tftp_refused": "Requests refused with ERROR 2 or 4.",
	"tftp_repairs": "Windows sent again because of an ACK.", "tftp_repeated_requests": "Requests answered by repeating the first reply.",
	"tftp_replaced": "Transfers ended by a new request on their address and port.", "tftp_requests": "Requests received, repeated ones included.",
	"tftp_resent_frames": "DATA and OACK frames sent more than once.", "tftp_stale_acks": "ACKs of older blocks.", "tftp_started": "Transfers granted.",
	"tftp_stray": "ACKs, ERRORs and ICMP that belong to no transfer.", "tftp_table_full": "Requests left unanswered, since all transfers are in use.",
	"tftp_timeouts": "Windows sent again because of silence.", "tftp_unfilled": "Requests for a template that was not filled in for the node yet.",
}

// labelHelp is the same for the metrics that stand for several counters, by their
// label.
var labelHelp = map[string]string{"reason": "Frames dropped, by what is wrong with them.", "type": "DHCP messages, by their type."}

// helpOf says what a counter counts.
func helpOf(counter string, m *metricName) string {
	if m.label != "" {
		return labelHelp[m.label]
	}
	if text := counterHelp[counter]; text != "" {
		return text
	}
	return "The engine's counter " + counter + "."
}
