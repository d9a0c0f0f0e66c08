package pcap

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/core"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/image"
	"bootstorm/engine/image/load"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
)

// Site is what our side is in a replay.
type Site struct {
	Config   string      // dhcpd.conf; empty: derived from Address as the daemon does without a file
	Hosts    []proto.MAC // machines that get a host declaration behind the file
	Address  proto.Addr  // of the interface; 0: the captured server's
	Mask     proto.Addr
	TFTPRoot string        // folder with the real files; empty: synthetic ones
	Files    []Learned     // added to what the capture shows
	Leases   []batch.Lease // held when the capture begins; nil: those that the capture implies
}

const (
	mtu       = 1500 // of the replay's interface: what every client in a capture assumed
	transfers = 4096 // most at a time; a capture point sees fewer
)

// interfaceName is what the configuration may call the replay's interface.
const interfaceName = "replay"

// Prepare builds a core for a replay of what s surveyed. warnings are the
// configuration's findings and files that could not be read, as text.
func Prepare(site Site, s *Survey) (o Options, warnings []string, err error) {
	o.Survey = s
	o.Link = plan.Link{Name: interfaceName, MAC: s.Server.MAC, MTU: mtu,
		Addrs: []plan.LinkAddr{{Addr: s.Server.Addr, Mask: s.Server.Mask}}}
	if site.Address != 0 {
		o.Link.Addrs[0] = plan.LinkAddr{Addr: site.Address, Mask: site.Mask}
	}
	compiled, warnings, err := site.plan(o.Link)
	if err != nil {
		return o, warnings, err
	}
	files, problems, err := site.images(s)
	if err != nil {
		return o, warnings, err
	}
	warnings = append(warnings, problems...)
	o.Contents = site.TFTPRoot != ""
	o.Window = s.WindowMax > 0
	// Fewer transfers than the daemon's default: a core is made per capture.
	k := core.New(core.Config{Plan: compiled, Files: files, Links: []plan.Link{o.Link},
		Transfer: transfer.Config{Transfers: transfers, WindowMax: s.WindowMax}})
	leases := site.Leases
	if leases == nil {
		leases = s.Held
		o.Held = len(leases)
	}
	k.Restore(batch.Time{Wall: (s.start - lead) / batch.Second}, leases)
	o.Engine = k
	return o, warnings, nil
}

// images are the boot files of the replay: the real ones, or others as long.
func (site *Site) images(s *Survey) (files *image.Set, warnings []string, err error) {
	if site.TFTPRoot == "" {
		return image.Build(1, "/srv/tftp", Synthetic(append(slices.Clone(s.Files), site.Files...))), nil, nil
	}
	// A root that is not there is a mistake of the command line, not an empty set.
	if _, err = os.ReadDir(site.TFTPRoot); err != nil {
		return nil, nil, err
	}
	files, problems, err := load.Read(load.Options{Root: site.TFTPRoot}, 1)
	for _, p := range problems {
		warnings = append(warnings, p.Path+": "+p.Text+"\n")
	}
	return files, warnings, err
}

// plan parses and compiles the configuration.
func (site *Site) plan(link plan.Link) (*plan.Plan, []string, error) {
	name, text := site.Config, []byte(nil)
	if name == "" {
		name, text = "(derived)", config.Derive(link.Name, link.Addrs[0].Addr, link.Addrs[0].Mask)
	} else {
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return nil, nil, err
		}
	}
	// The hosts stand behind the file, as if they were its last lines: findings
	// then still name the lines of the file.
	tree := config.ParseText(name, append(text, declare(site.Hosts)...), config.Options{})
	var warnings []string
	for _, f := range tree.Findings {
		warnings = append(warnings, tree.Render(f))
	}
	if tree.HasErrors() {
		return nil, warnings, fmt.Errorf("%s has errors", name)
	}
	compiled, findings := compile.Compile(tree)
	for _, f := range findings {
		warnings = append(warnings, tree.Render(f))
	}
	if compiled == nil {
		return nil, warnings, errors.New(name + " cannot be compiled")
	}
	return compiled, warnings, nil
}

// declare makes one host declaration per machine, as the captured laboratory's
// server had them.
func declare(hosts []proto.MAC) string {
	var b strings.Builder
	for i, m := range hosts {
		fmt.Fprintf(&b, "\nhost node_%d {\n    hardware ethernet %s;\n    server-name \"node_%d\";\n}\n", i+1, m, i+1)
	}
	return b.String()
}

// ReplayFile replays a case of a manifest: the whole of what `bench replay`
// does for one capture.
func (c *Case) Replay(capture *Capture, frame func(int64, bool, []byte)) (*Result, []string, error) {
	s, err := Look(capture, c.Server)
	if err != nil {
		return nil, nil, err
	}
	o, warnings, err := Prepare(Site{Config: c.Config, Hosts: c.Hosts, Files: c.Files}, s)
	if err != nil {
		return nil, warnings, err
	}
	o.Capture, o.Frame = capture, frame
	r, err := Run(o)
	return r, warnings, err
}
