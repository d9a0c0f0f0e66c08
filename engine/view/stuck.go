package view

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootstorm/engine/story"
)

// Limits of the answer.
const (
	maxStuck   = 20000 // nodes looked at
	maxGroups  = 50
	groupNodes = 12 // nodes named in a group
)

// Group is the nodes that are stuck for the same reason.
type Group struct {
	Reason string     `json:"reason"` // in words, of one of them
	Count  int        `json:"count"`
	Since  time.Time  `json:"since"` // the first of them
	Nodes  []GroupOne `json:"nodes"` // some of them
}

// GroupOne names a node.
type GroupOne struct {
	MAC  string `json:"mac"`
	Host string `json:"host,omitempty"`
}

// stuck answers GET /api/stuck: why nodes are missing, the commonest reason first.
func (h *Handler) stuck(w http.ResponseWriter, _ *http.Request) {
	now := h.now()
	answerBytes(w, h.cache.get(now, "stuck", func() any {
		list, total := h.book.Nodes(now, story.Query{State: story.StateStuck, Limit: maxStuck})
		groups := Groups(list)
		return map[string]any{"total": total, "reasons": len(groups), "groups": groups[:min(len(groups), maxGroups)]}
	}))
}

// particular is what makes the same reason differ from node to node: addresses,
// and numbers that stand alone.
var particular = regexp.MustCompile(`(?i)\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b|\b\d+(\.\d+){3}\b|\b\d+(\.\d+)?( ?(s|ms|min|h|B|kB|KB|MB|KiB|MiB|%))?\b`)

// Groups puts nodes together whose reason is the same but for the names and
// numbers of the node.
func Groups(nodes []story.Node) []Group {
	at := map[string]int{}
	groups := []Group{}
	for i := range nodes {
		n := &nodes[i]
		key := n.Reason
		for _, own := range []string{n.Host, n.MAC, n.Address} {
			if own != "" {
				key = strings.ReplaceAll(key, own, "#")
			}
		}
		key = particular.ReplaceAllString(key, "#")
		g, ok := at[key]
		if !ok {
			g = len(groups)
			at[key] = g
			groups = append(groups, Group{Reason: n.Reason, Since: n.Since})
		}
		groups[g].add(n)
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Or(b.Count-a.Count, a.Since.Compare(b.Since)) })
	return groups
}

// add counts one node in.
func (g *Group) add(n *story.Node) {
	g.Count++
	if n.Since.Before(g.Since) {
		g.Since = n.Since
	}
	if len(g.Nodes) < groupNodes {
		g.Nodes = append(g.Nodes, GroupOne{n.MAC, n.Host})
	}
}
