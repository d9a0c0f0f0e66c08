package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The local disk: 64 MiB, a GUID partition table, and one EFI system partition
// that begins at 1 MiB and ends before the table's second copy.
const (
	diskSize       = 64 << 20
	partitionStart = 1 << 20
	partitionSize  = diskSize - partitionStart - 1<<20
)

// loader is GRUB's built-in configuration. It says that it runs, then waits: a
// machine that has booted is to stay where it is.
const loader = "echo \"" + localDisk + " by GRUB from the EFI system partition\"\nsleep 3600\n"

// makeDisk makes the image of a disk with an installed system, as far as a boot
// manager can see: a boot loader in the EFI system partition.
func makeDisk(image string) error {
	dir, err := os.MkdirTemp(filepath.Dir(image), "disk")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config, grub, partition := filepath.Join(dir, "grub.cfg"), filepath.Join(dir, "grubx64.efi"), filepath.Join(dir, "esp")
	if err := os.WriteFile(config, []byte(loader), 0o644); err != nil {
		return err
	}
	if err := errors.Join(sparse(image, diskSize), sparse(partition, partitionSize)); err != nil {
		return err
	}
	for _, c := range []string{
		"grub-mkimage -O x86_64-efi -p /EFI/debian -c " + config + " -o " + grub + " normal echo sleep part_gpt fat configfile",
		"sgdisk -n 1:2048:" + fmt.Sprint((partitionStart+partitionSize)/512-1) + " -t 1:ef00 " + image,
		"mkfs.vfat -F 16 -n ESP " + partition,
		"mmd -i " + partition + " ::/EFI ::/EFI/debian ::/EFI/BOOT",
		"mcopy -i " + partition + " " + grub + " ::/EFI/debian/grubx64.efi",
		"mcopy -i " + partition + " " + grub + " ::/EFI/BOOT/BOOTX64.EFI",
	} {
		args := strings.Fields(c)
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("make the disk: %s: %w: %s", args[0], err, bytes.TrimSpace(out))
		}
	}
	return place(partition, image, partitionStart)
}

func sparse(file string, size int64) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

// place copies a file into another one, from an offset on.
func place(from, to string, offset int64) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.NewOffsetWriter(out, offset), in)
	return errors.Join(err, out.Close())
}
