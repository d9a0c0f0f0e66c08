package bench

import (
	"bootstorm/engine/batch"
	"bootstorm/proto/dhcp"
)

// Parameter request lists as the clients send them.
var (
	edk2Parameters = []byte{1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97,
		128, 129, 130, 131, 132, 133, 134, 135}
	ipxeParameters = []byte{1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203}
	romParameters  = []byte{1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67,
		128, 129, 130, 131, 132, 133, 134, 135}
	ubootParameters = []byte{1, 3, 6, 12, 17}
	linuxParameters = []byte{1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42}

	// ipxeFeatures is option 175 of Debian 12's build: NIC, version and feature flags.
	ipxeFeatures = []byte{0xb1, 5, 1, 0x1a, 0xf4, 0x10, 0, 0xeb, 3, 1, 0, 0, 0x17, 1, 1, 0x24, 1, 1, 0x13, 1, 1, 0x11, 1, 1,
		0x27, 1, 1, 0x29, 1, 1, 0x15, 1, 1, 0x1b, 1, 1, 0x12, 1, 1}
	// biosFeatures is that of a build for the BIOS.
	biosFeatures = []byte{0xb1, 5, 1, 0x80, 0x86, 0x10, 0x0e, 0xeb, 3, 1, 0, 0, 0x17, 1, 1, 0x22, 1, 1, 0x13, 1, 1, 0x11, 1, 1,
		0x27, 1, 1, 0x19, 1, 1, 0x29, 1, 1, 0x10, 1, 2, 0x21, 1, 1, 0x15, 1, 1, 0x18, 1, 1, 0x12, 1, 1}
)

// message builds a DISCOVER or REQUEST as the client n.dhcp.who words it, in
// the storm's scratch memory.
func (n *node) message(now int64, kind dhcp.Type) []byte {
	d := &n.dhcp
	// The order of the options is the clients': servers that depend on it have
	// existed, and captures are compared byte by byte.
	var w dhcp.Writer
	h := w.Reset(n.storm.scratch[:])
	h.SetOp(dhcp.BootRequest)
	h[1], h[2] = 1, 6 // Ethernet
	h.SetXID(d.xid)
	copy(h.CHAddr()[:], n.mac[:])
	h.SetSecs(uint16((now - d.began) / batch.Second))
	w.Option(dhcp.OptMessageType, []byte{byte(kind)})
	switch d.who {
	case edk2:
		h.SetFlags(dhcp.FlagBcast)
		n.edk2Options(&w, kind)
	case rom:
		h.SetFlags(dhcp.FlagBcast)
		n.romOptions(&w, kind)
	case uboot:
		n.ubootOptions(&w, kind)
	case ipxe:
		h.SetSecs(n.ipxeSecs())
		if n.storm.config.Fresh {
			h.SetFlags(dhcp.FlagBcast)
		}
		n.ipxeOptions(&w, kind)
	case linux:
		n.linuxOptions(&w, kind)
	}
	return n.storm.scratch[:w.End()]
}

// ipxeSecs is what iPXE sends for secs: its message counter times four, and 2
// once it has an offer.
func (n *node) ipxeSecs() uint16 {
	secs := uint16(n.dhcp.sent+1) << 2
	if n.dhcp.have {
		secs |= 2
	}
	return secs
}

// choice appends the server and the address that are asked for.
func (n *node) choice(w *dhcp.Writer) {
	server, addr := n.dhcp.offer.server.Bytes(), n.dhcp.offer.addr.Bytes()
	w.Option(dhcp.OptServerID, server[:])
	w.Option(dhcp.OptRequestedAddr, addr[:])
}

// edk2Options are those of NetworkPkg/UefiPxeBcDxe/PxeBcDhcp4.c in the order of
// Dhcp4Dxe; in a REQUEST the DHCP driver puts a maximum size of its own.
func (n *node) edk2Options(w *dhcp.Writer, kind dhcp.Type) {
	size := []byte{0x05, 0xc0}
	if kind == dhcp.Request {
		n.choice(w)
		size = []byte{0xff, 0x00}
	}
	w.Option(dhcp.OptMaxMessageSize, size)
	w.Option(dhcp.OptParameterList, edk2Parameters)
	n.uuidOption(w)
	w.Option(dhcp.OptClientNDI, []byte{1, 3, 0})
	w.Option(dhcp.OptClientArch, []byte{0, 7})
	w.Option(dhcp.OptVendorClass, []byte("PXEClient:Arch:00007:UNDI:003000"))
}

// romOptions are those that PXE 2.1 demands, as old network cards send them.
func (n *node) romOptions(w *dhcp.Writer, kind dhcp.Type) {
	if kind == dhcp.Request {
		n.choice(w)
	}
	w.Option(dhcp.OptParameterList, romParameters)
	w.Option(dhcp.OptMaxMessageSize, []byte{0x04, 0xec})
	n.uuidOption(w)
	w.Option(dhcp.OptClientArch, []byte{0, 0})
	w.Option(dhcp.OptClientNDI, []byte{1, 2, 1})
	w.Option(dhcp.OptVendorClass, []byte("PXEClient:Arch:00000:UNDI:002001"))
}

// ubootOptions are those of net/bootp.c, dhcp_extended, as a build for 64-bit
// ARM has them.
func (n *node) ubootOptions(w *dhcp.Writer, kind dhcp.Type) {
	w.Option(dhcp.OptMaxMessageSize, []byte{0x02, 0x40})
	if kind == dhcp.Request {
		n.choice(w)
	}
	w.Option(dhcp.OptVendorClass, []byte("U-Boot.armv8"))
	w.Option(dhcp.OptClientArch, []byte{0, 0x16})
	w.Option(dhcp.OptClientNDI, []byte{1, 0, 0})
	w.Option(dhcp.OptParameterList, ubootParameters)
}

// ipxeOptions are those of src/net/udp/dhcp.c in its order.
func (n *node) ipxeOptions(w *dhcp.Writer, kind dhcp.Type) {
	w.Option(dhcp.OptMaxMessageSize, []byte{0x05, 0xc0})
	features := ipxeFeatures
	if n.bios {
		features = biosFeatures
		w.Option(dhcp.OptClientArch, []byte{0, 0})
		w.Option(dhcp.OptClientNDI, []byte{1, 2, 1})
		w.Option(dhcp.OptVendorClass, []byte("PXEClient:Arch:00000:UNDI:002001"))
	} else {
		w.Option(dhcp.OptClientArch, []byte{0, 7})
		w.Option(dhcp.OptClientNDI, []byte{1, 3, 10})
		w.Option(dhcp.OptVendorClass, []byte("PXEClient:Arch:00007:UNDI:003010"))
	}
	w.Option(dhcp.OptUserClass, []byte("iPXE"))
	w.Option(dhcp.OptParameterList, ipxeParameters)
	w.Option(dhcp.OptEncapsulatedIPXE, features)
	id := [7]byte{1} // hardware type and address (RFC 2132 section 9.14)
	copy(id[1:], n.mac[:])
	w.Option(dhcp.OptClientID, id[:])
	n.uuidOption(w)
	if kind == dhcp.Request {
		n.choice(w)
	}
}

// linuxOptions are those of an installed system: a host name, and a client
// identifier made of an interface number and a DUID (RFC 4361), which has
// nothing in common with those of the firmware and iPXE.
func (n *node) linuxOptions(w *dhcp.Writer, kind dhcp.Type) {
	if kind == dhcp.Request && n.dhcp.phase != renewing {
		n.choice(w)
	}
	// 255, IAID 1, then a DUID of type 2 with the enterprise number that systemd
	// uses, 43793, and eight bytes that differ from node to node.
	id := [19]byte{255, 0, 0, 0, 1, 0, 2, 0, 0, 0xab, 0x11}
	copy(id[11:], n.uuid[8:])
	w.Option(dhcp.OptClientID, id[:])
	w.Option(dhcp.OptParameterList, linuxParameters)
	w.Option(dhcp.OptMaxMessageSize, []byte{0x05, 0xc0})
	name := append(n.storm.text[:0], "node-"...)
	for i := 4; i < 6; i++ {
		name = append(name, "0123456789abcdef"[n.mac[i]>>4], "0123456789abcdef"[n.mac[i]&15])
	}
	w.Option(dhcp.OptHostName, name)
}

// uuidOption is option 97: type 0 and the UUID (RFC 4578 section 2.3).
func (n *node) uuidOption(w *dhcp.Writer) {
	var v [17]byte
	copy(v[1:], n.uuid[:])
	w.Option(dhcp.OptClientUUID, v[:])
}
