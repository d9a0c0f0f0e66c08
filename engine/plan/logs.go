package plan

// Priorities of log statements, as Statement.Target and NextLog give them.
// "fatal" ends dhcpd; here it is an error.
const (
	LogDebug = iota
	LogInfo
	LogError
	LogFatal
)

// logged is the text of one executed log statement.
type logged struct {
	text     []byte
	priority byte
}

// log keeps the text in scratch until the next Begin: writing it anywhere is not
// for the path that answers. A null text is not logged.
func (e *Eval) log(s *Statement) {
	mark := e.used
	v, ok := e.eval(s.Expr).asData()
	if !ok {
		e.release(mark)
		return
	}
	if e.logN == MaxLogs {
		e.Exhausted++
		e.release(mark)
		return
	}
	e.keep = e.used
	e.logs[e.logN] = logged{v, byte(s.Target)}
	e.logN++
}

// NextLog returns the text of the i-th log statement that Decide
// executed. ok=false: there are no more.
func (e *Eval) NextLog(i int) (text []byte, priority byte, ok bool) {
	if i < 0 || i >= e.logN {
		return nil, 0, false
	}
	return e.logs[i].text, e.logs[i].priority, true
}
