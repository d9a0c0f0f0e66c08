package lease

import (
	"strconv"
	"time"

	"bootstorm/engine/batch"
)

// lastDate is the last moment that four digits of a year can name; what is
// later is written as never.
const lastDate = 253402300799 // 9999-12-31 23:59:59 UTC

// dateLayout is what follows the weekday in a date, always in UTC.
const dateLayout = "2006/01/02 15:04:05"

// appendDate appends a date of dhcpd.leases(5) with its semicolon: the number
// of the weekday (0 is Sunday), date and time; or never.
func appendDate(b []byte, sec int64) []byte {
	if sec > lastDate {
		return append(b, "never;"...)
	}
	t := time.Unix(sec, 0).UTC()
	b = append(b, byte('0'+t.Weekday()), ' ')
	return append(t.AppendFormat(b, dateLayout), ';')
}

// parseDate reads the three forms of a date: "W YYYY/MM/DD HH:MM:SS", "epoch
// SECONDS" (db-time-format local) and "never".
func parseDate(args []token, to *int64) bool {
	switch {
	case len(args) == 1 && string(args[0].val) == "never":
		*to = batch.Forever
		return true
	case len(args) == 2 && string(args[0].val) == "epoch":
		n, err := strconv.ParseInt(string(args[1].val), 10, 64)
		*to = n
		return err == nil && n >= 0
	case len(args) == 3 && len(args[0].val) == 1 && weekday(args[0].val[0]):
		if sec, ok := paddedDate(args[1].val, args[2].val); ok {
			*to = sec
			return true
		}
		// dhcpd does not pad the numbers everywhere; a layout without
		// leading zeroes reads both forms.
		t, err := time.Parse("2006/1/2 15:4:5", string(args[1].val)+" "+string(args[2].val))
		*to = t.Unix()
		return err == nil
	}
	return false
}

// paddedDate reads the form that we write, which is most of a large file and
// needs none of time.Parse's care; days that not every month has are left to it.
func paddedDate(date, clock []byte) (sec int64, ok bool) {
	if len(date) != 10 || len(clock) != 8 || date[4] != '/' || date[7] != '/' || clock[2] != ':' || clock[5] != ':' {
		return 0, false
	}
	var n [6]int
	for i, part := range [6][]byte{date[:4], date[5:7], date[8:], clock[:2], clock[3:5], clock[6:]} {
		for _, c := range part {
			if c < '0' || c > '9' {
				return 0, false
			}
			n[i] = 10*n[i] + int(c-'0')
		}
	}
	if n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 28 || n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return 0, false
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC).Unix(), true
}

// weekday tells whether c is a day of the week; which one it is does not matter,
// the date says so.
func weekday(c byte) bool { return c >= '0' && c <= '6' }
