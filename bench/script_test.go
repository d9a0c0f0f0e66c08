package bench

import (
	"slices"
	"testing"
)

func TestScriptFetches(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []string
	}{
		{"no script", "MZ\x90 imgfetch tftp://${next-server}/x", nil},
		{"plain", "#!ipxe\nimgfetch --name a tftp://${next-server}/a\nchain tftp://${next-server}/dir/b", []string{"a", "dir/b"}},
		{"nothing behind chain", "#!ipxe\nchain tftp://${next-server}/a\nimgfetch tftp://${next-server}/b", []string{"a"}},
		{"another server", "#!ipxe\nimgfetch tftp://10.0.0.9/a http://${next-server}/b", nil},
		{"comment and label", "#!ipxe\n# imgfetch tftp://${next-server}/a\n:imgfetch\n", nil},
		{"variable", "#!ipxe\nset f x.efi\nimgfetch tftp://${next-server}/${f}", []string{"x.efi"}},
		{"condition that holds", "#!ipxe\niseq ${platform} efi && goto yes || goto no\n:no\nchain tftp://${next-server}/no\n:yes\nchain tftp://${next-server}/yes",
			[]string{"yes"}},
		{"condition that does not", "#!ipxe\niseq ${platform} pcbios && goto yes || goto no\n:yes\nchain tftp://${next-server}/yes\n:no\nchain tftp://${next-server}/no",
			[]string{"no"}},
		{"assignment under a condition", "#!ipxe\nset f 64\niseq ${buildarch} i386 && set f 32 ||\nimgfetch tftp://${next-server}/${f}", []string{"64"}},
		{"failure handler is not run", "#!ipxe\nimgfetch tftp://${next-server}/a || goto bad\nchain a\n:bad\nchain tftp://${next-server}/bad", []string{"a"}},
		{"exit", "#!ipxe\nexit 1\nimgfetch tftp://${next-server}/a", nil},
		{"unknown label", "#!ipxe\ngoto nowhere || imgfetch tftp://${next-server}/a", []string{"a"}},
		{"endless loop", "#!ipxe\n:again\necho x\ngoto again", nil},
	} {
		if got := scriptFetches([]byte(c.script), "efi"); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
