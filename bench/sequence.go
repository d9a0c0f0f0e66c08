package bench

// stepsOf spells out a sequence for a node with a kind of client.
func stepsOf(c *Config, who client) []step {
	if c.Sequence == Linux {
		return linuxSteps(nil, c)
	}
	firmware := who
	if who == grub { // it is loaded by UEFI's firmware and uses the address of that
		firmware = edk2
	}
	steps := []step{{kind: stepDHCP, who: firmware, phase: "firmware DHCP"}}
	switch c.Sequence {
	case DORA:
		return steps
	case Kernel:
		return kernelSteps(steps, who)
	}
	steps = append(steps, step{kind: stepFile, who: firmware})
	if c.Sequence == Firmware {
		return steps
	}
	if who == edk2 || who == rom {
		steps = ipxeSteps(steps, c, who == rom)
	} else if len(c.Files) > 0 {
		steps = append(steps, step{kind: stepList, who: who})
	}
	if c.Sequence == Full {
		steps = linuxSteps(steps, c)
	}
	return steps
}

// ipxeSteps are what follows when the boot file is iPXE.
func ipxeSteps(steps []step, c *Config, bios bool) []step {
	if c.Waits && c.Loader > 0 {
		steps = append(steps, step{kind: stepPause, pause: c.Loader, phase: "start of iPXE"})
	}
	if c.Fresh {
		again := step{kind: stepOptional, who: ipxe, phase: "autoexec.ipxe"}
		steps = append(steps, again, again)
	}
	steps = append(steps, step{kind: stepDHCP, who: ipxe, phase: "iPXE DHCP"})
	if c.Waits && c.IPv6 && !bios {
		steps = append(steps, step{kind: stepRouter, who: ipxe, phase: "iPXE waiting for a router"})
	}
	return append(steps, step{kind: stepFile, who: ipxe}, step{kind: stepScript, who: ipxe})
}

// kernelSteps read Config.Files with a boot loader: GRUB is itself read first,
// U-Boot is the firmware, and the others have one that is in the machine.
func kernelSteps(steps []step, who client) []step {
	switch who {
	case grub:
		return append(steps, step{kind: stepFile, who: edk2}, step{kind: stepList, who: grub})
	case uboot:
		return append(steps, step{kind: stepList, who: uboot})
	}
	return append(steps, step{kind: stepList, who: loader})
}

// linuxSteps are those of the installed system.
func linuxSteps(steps []step, c *Config) []step {
	return append(steps, step{kind: stepDHCP, who: linux, phase: "system DHCP"},
		step{kind: stepRenew, who: linux, pause: c.Renew, phase: "renewal"})
}

// readsBootFile tells whether the node needs the name of one in its ACK.
func (n *node) readsBootFile() bool {
	for i := range n.steps {
		if n.steps[i].kind == stepFile {
			return true
		}
	}
	return false
}
