package pcap

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// form tells how an option's value is best read.
type form byte

const (
	asHex    form = iota
	asAddr        // one or more IPv4 addresses
	asNumber      // one big-endian integer of 1, 2 or 4 bytes
	asText
	asWords // 16-bit integers
	asCodes // single bytes
)

type optionInfo struct {
	label string
	form  form
}

// optionTable names the options that boot clients and servers exchange, as
// dhcp-options(5) does.
var optionTable = map[byte]optionInfo{
	dhcp.OptSubnetMask: {"subnet-mask", asAddr}, 2: {"time-offset", asNumber}, dhcp.OptRouters: {"routers", asAddr},
	6: {"domain-name-servers", asAddr}, dhcp.OptHostName: {"host-name", asText}, dhcp.OptBootSize: {"boot-size", asNumber},
	15: {"domain-name", asText}, 17: {"root-path", asText}, 26: {"interface-mtu", asNumber},
	dhcp.OptBroadcast: {"broadcast-address", asAddr}, 42: {"ntp-servers", asAddr}, dhcp.OptVendorSpecific: {"vendor-encapsulated-options", asHex},
	dhcp.OptRequestedAddr: {"dhcp-requested-address", asAddr}, dhcp.OptLeaseTime: {"dhcp-lease-time", asNumber},
	dhcp.OptOverload: {"dhcp-option-overload", asNumber}, dhcp.OptMessageType: {"dhcp-message-type", asNumber},
	dhcp.OptServerID: {"dhcp-server-identifier", asAddr}, dhcp.OptParameterList: {"dhcp-parameter-request-list", asCodes},
	dhcp.OptMessage: {"dhcp-message", asText}, dhcp.OptMaxMessageSize: {"dhcp-max-message-size", asNumber},
	dhcp.OptRenewalTime: {"dhcp-renewal-time", asNumber}, dhcp.OptRebindingTime: {"dhcp-rebinding-time", asNumber},
	dhcp.OptVendorClass: {"vendor-class-identifier", asText}, dhcp.OptClientID: {"dhcp-client-identifier", asHex},
	dhcp.OptTFTPServerName: {"tftp-server-name", asText}, dhcp.OptBootfileName: {"bootfile-name", asText},
	dhcp.OptUserClass: {"user-class", asText}, dhcp.OptRelayAgent: {"relay-agent-information", asHex},
	dhcp.OptClientArch: {"arch", asWords}, dhcp.OptClientNDI: {"client-ndi", asHex}, dhcp.OptClientUUID: {"client-uuid", asHex},
	dhcp.OptDomainSearch: {"domain-search", asHex}, 121: {"classless-static-routes", asHex}, 150: {"tftp-server-address", asAddr},
	dhcp.OptEncapsulatedIPXE: {"ipxe-encapsulated-options", asHex},
}

// optionLabel is the option's name, or its number if it has none here.
func optionLabel(code byte) string {
	if i, ok := optionTable[code]; ok {
		return i.label
	}
	return strconv.Itoa(int(code))
}

// optionName is the name of the field that an option is compared under.
func optionName(code byte) string {
	if i, ok := optionTable[code]; ok {
		return "option " + strconv.Itoa(int(code)) + " " + i.label
	}
	return "option " + strconv.Itoa(int(code))
}

// optionValue renders a value by its form, in hexadecimal when it does not have
// that form.
func optionValue(code byte, v []byte) string {
	switch f := optionTable[code].form; {
	case f == asText:
		return clean(string(v))
	case f == asAddr && len(v) > 0 && len(v)%4 == 0:
		return join(v, 4, func(b []byte) string { return proto.AddrFrom((*[4]byte)(b)).String() })
	case f == asWords && len(v) > 0 && len(v)%2 == 0:
		return join(v, 2, func(b []byte) string { return strconv.Itoa(int(binary.BigEndian.Uint16(b))) })
	case f == asCodes:
		return join(v, 1, func(b []byte) string { return strconv.Itoa(int(b[0])) })
	case f == asNumber && (len(v) == 1 || len(v) == 2 || len(v) == 4):
		var n uint64
		for _, b := range v {
			n = n<<8 | uint64(b)
		}
		return strconv.FormatUint(n, 10)
	}
	return "0x" + hex.EncodeToString(v)
}

// join renders a value that is a list of items of one size.
func join(v []byte, size int, f func([]byte) string) string {
	parts := make([]string, 0, len(v)/size)
	for ; len(v) >= size; v = v[size:] {
		parts = append(parts, f(v[:size]))
	}
	return strings.Join(parts, ",")
}
