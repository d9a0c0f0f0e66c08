package plan

// variable is one name of set, define or a function's argument. Names are
// looked up through the calls that led here, as dhcpd does it: a function sees
// its caller's variables.
type variable struct {
	generation uint32
	call       int // nesting of the function call that made it; it goes when the call ends
	value      value
}

// variable returns the value that a name has now, null if it is not defined.
func (e *Eval) variable(at int32) value {
	if v := &e.variables[at]; v.generation == e.generation {
		return v.value
	}
	return value{}
}

// setVariable gives a variable a value, which must then survive; setting it to
// null leaves it undefined.
func (e *Eval) setVariable(at int32, v value) {
	e.keep = e.used
	x := &e.variables[at]
	if v.kind == null {
		x.generation = 0
		return
	}
	if x.generation != e.generation {
		x.call = e.calls
	}
	x.generation, x.value = e.generation, v
}

// call runs a function. Its arguments hide variables of the same name while it
// runs; variables that it makes are gone afterwards.
func (e *Eval) call(x *Expr) value {
	f := &e.prog.Functions[x.Slot]
	if f.Len != x.N || f.Len > MaxArguments {
		return value{}
	}
	names := e.prog.Parameters[f.First : f.First+f.Len]
	// All arguments are evaluated before the first name is hidden: they belong to
	// the caller's scope.
	var hidden [MaxArguments]variable
	for i := range names {
		hidden[i].value = e.eval(e.prog.Operands[x.First+int32(i)])
	}
	e.calls++
	for i, at := range names {
		v := hidden[i].value
		hidden[i] = e.variables[at]
		e.variables[at].generation = 0
		e.setVariable(at, v)
	}
	e.result = value{}
	e.run(f.Body)
	for i := range e.variables {
		if e.variables[i].call == e.calls {
			e.variables[i].generation = 0
		}
	}
	e.calls--
	for i, at := range names {
		e.variables[at] = hidden[i]
	}
	v := e.result
	e.result = value{}
	return v
}
