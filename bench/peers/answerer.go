//go:build linux

package peers

import (
	"fmt"
	"net"
	"os"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// answererName is the command of bench that runs Answer.
const answererName = "answer"

// answerer is no server: it gives every request the answer that perfdhcp waits
// for, and knows neither leases nor a disk. What perfdhcp says of it is what
// perfdhcp itself needs, whoever answers.
func answerer() Server {
	return Server{Name: "answerer", Title: "no server: a bare answer", Tuned: true, commands: func(*Site) ([]command, error) {
		self, err := os.Executable()
		return []command{{args: []string{self, answererName}}}, err
	}}
}

// Answer answers DISCOVERs and REQUESTs that come through a relay agent, until
// the process is ended. The address is made from the last two bytes of chaddr.
func Answer() error {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{Port: int(proto.PortBOOTPServer)})
	if err != nil {
		return err
	}
	defer conn.Close()
	// A server here has TFTP's port as well: that it is bound says that it serves.
	tftp, err := net.ListenUDP("udp4", &net.UDPAddr{Port: int(proto.PortTFTP)})
	if err != nil {
		return err
	}
	defer tftp.Close()
	in, out := make([]byte, 2048), make([]byte, 2048)
	var options dhcp.Options
	for {
		n, err := conn.Read(in)
		if err != nil {
			return err
		}
		if !options.Parse(in[:n]) {
			continue
		}
		answer, to := bareAnswer(out, in[:n], &options)
		if _, err := conn.WriteToUDP(answer, to); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

// bareAnswer makes an OFFER or an ACK, for the relay agent that forwarded.
func bareAnswer(buf, request []byte, options *dhcp.Options) (answer []byte, to *net.UDPAddr) {
	kind := dhcp.Offer
	if t, _ := options.MessageType(); t == dhcp.Request {
		kind = dhcp.Ack
	}
	asked := dhcp.View(request)
	var w dhcp.Writer
	h := w.Reset(buf)
	*h = *asked
	h.SetOp(dhcp.BootReply)
	mac := asked.CHAddr()
	h.SetYIAddr(proto.AddrOf(192, 168, mac[4], mac[5]))
	w.Option(dhcp.OptMessageType, []byte{byte(kind)})
	w.Option(dhcp.OptServerID, net.ParseIP(serverAddr).To4())
	w.Option(dhcp.OptLeaseTime, []byte{0, 0, 28, 32})
	w.Option(dhcp.OptSubnetMask, []byte{255, 255, 0, 0})
	relay := asked.GIAddr().Bytes()
	return buf[:w.End()], &net.UDPAddr{IP: relay[:], Port: int(proto.PortBOOTPServer)}
}
