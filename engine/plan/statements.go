package plan

// outcome says how a list of statements ended.
type outcome uint8

const (
	finished outcome = iota
	broken           // break: the list ends, and the lists around it go on
	returned         // return: the function ends
)

// run executes a list of statements. A break ends the list that it stands in
// and no other, as in dhcpd: what follows the enclosing if or switch goes on.
func (e *Eval) run(b Block) outcome {
	if b.Len == 0 || !e.enter() {
		return finished
	}
	end := finished
	for i := b.First; i < b.First+b.Len && end == finished; i++ {
		if e.steps++; e.steps >= MaxSteps {
			e.Exhausted++
			break
		}
		end = e.execute(&e.prog.Statements[i])
	}
	e.leave()
	return end
}

// execute runs one statement.
func (e *Eval) execute(s *Statement) outcome {
	switch s.Kind {
	case DoSet:
		e.assign(s.Target, s.Expr, s.Origin)
	case DoDefault:
		if !e.isSet(s.Target) {
			e.assign(s.Target, s.Expr, s.Origin)
		}
	case DoAppend:
		e.extend(s.Target, s.Expr, s.Origin, false)
	case DoPrepend:
		e.extend(s.Target, s.Expr, s.Origin, true)
	case DoIf:
		return inner(e.run(e.branch(s)))
	case DoSwitch:
		return inner(e.choose(s))
	case DoBreak:
		return broken
	case DoReturn:
		e.result = e.eval(s.Expr)
		e.keep = e.used
		return returned
	default:
		e.effect(s)
	}
	return finished
}

// effect runs the statements that have no say in what comes next.
func (e *Eval) effect(s *Statement) {
	switch s.Kind {
	case DoVariable:
		e.setVariable(s.Target, e.eval(s.Expr))
	case DoUnset:
		e.variables[s.Target].generation = 0
	case DoEval:
		e.eval(s.Expr)
	case DoLog:
		e.log(s)
	case DoAdd:
		e.join(s.Target)
	}
}

// inner turns the end of an inner list into what the list around it sees.
func inner(o outcome) outcome {
	if o == broken {
		return finished
	}
	return o
}

// branch returns the list of an if that its condition selects; null is false.
func (e *Eval) branch(s *Statement) Block {
	mark := e.used
	is, ok := e.truth(s.Expr)
	e.release(mark)
	if is && ok {
		return s.Then
	}
	return s.Else
}

// choose executes a switch from the first case whose value is equal. Without
// one, and if the value is null, the default label is taken.
func (e *Eval) choose(s *Statement) outcome {
	mark := e.used
	v := e.eval(s.Expr)
	body := s.Else
	if v.kind != null {
		for i := s.Then.First; i < s.Then.First+s.Then.Len; i++ {
			c := &e.prog.Cases[i]
			if w := e.eval(c.Value); same(v, w) || prefixed(v, w, e.prog.Exprs[s.Expr].Flags) {
				body = c.Body
				break
			}
		}
	}
	e.release(mark)
	return e.run(body)
}
