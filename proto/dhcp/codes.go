package dhcp

// Option codes that the engine itself reads or writes (RFC 2132 unless noted).
// What a configuration may name is a longer table, in engine/config.
const (
	OptPad              = 0
	OptSubnetMask       = 1
	OptRouters          = 3
	OptHostName         = 12
	OptBootSize         = 13
	OptBroadcast        = 28
	OptVendorSpecific   = 43
	OptRequestedAddr    = 50
	OptLeaseTime        = 51
	OptOverload         = 52
	OptMessageType      = 53
	OptServerID         = 54
	OptParameterList    = 55
	OptMessage          = 56
	OptMaxMessageSize   = 57
	OptRenewalTime      = 58
	OptRebindingTime    = 59
	OptVendorClass      = 60
	OptClientID         = 61
	OptTFTPServerName   = 66
	OptBootfileName     = 67
	OptUserClass        = 77  // RFC 3004
	OptFQDN             = 81  // RFC 4702
	OptRelayAgent       = 82  // RFC 3046
	OptClientArch       = 93  // RFC 4578
	OptClientNDI        = 94  // RFC 4578
	OptClientUUID       = 97  // RFC 4578
	OptSubnetSelection  = 118 // RFC 3011
	OptDomainSearch     = 119 // RFC 3397
	OptEncapsulatedIPXE = 175
	OptEnd              = 255
)

// Sub-options of the relay agent information option (RFC 3046, RFC 3527).
const (
	AgentCircuitID     = 1
	AgentRemoteID      = 2
	AgentLinkSelection = 5 // RFC 3527
)
