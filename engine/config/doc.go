package config

// How a file is read
//
// lexer cuts the text into tokens of dhcpd's classes (lex.go). parser reads them
// with one token of look-ahead by recursive descent, a function per construct:
//
//	statement     declare.go     what stands in the body of a declaration
//	executable    execute.go     what may also stand inside a condition
//	expression    expression.go  dhcp-eval(5)
//	optionValue   value.go       a value in the layout of its option
//
// The words that begin a statement are the keys of the maps declarations and
// executables, parameters are options of the space server, and functions are
// the keys of the map functions. Constructs has a row for each of them.
//
// A function that finds an error reports it at once and returns false (or nil),
// and so do its callers, up to the loop over the statements of a body. There
// recover passes what is left of the statement, and reading goes on. A
// statement that only lacks its semicolon counts as complete, and a brace that
// was forgotten is noticed by indentation, so that one mistake is one finding.
//
// What dhcpd does, and why it is done here
//
// The verdict of dhcpd 4.4 on any text is the measure: what it rejects is an
// error here, since a file that only we could read would be lost to its owner
// when he goes back. Tests ask the real program. That explains rules that look
// arbitrary:
//
//   - no semicolon after a closing brace, except that of a key;
//   - a condition that begins with a parenthesis ends with the matching one;
//   - not takes one operand, so a comparison after it needs parentheses;
//   - and and or bind alike, + binds tighter than *, and there is no minus;
//   - words of hexadecimal digits are octets and no variables, and so is
//     every letter that stands alone;
//   - octets as a label of a case need parentheses;
//   - what belongs to a body itself (hardware, match, interface, allow in a
//     pool) cannot come from a file that is included into it;
//   - subnets cannot stand in a group inside a shared-network;
//   - classes, groups, keys and peers are declared before they are used.
//
// Where we differ from dhcpd
//
// More lenient in one thing: a host may have several hardware lines, because a
// node of a link aggregation boots from either of its links.
//
// Stricter where dhcpd does something that nobody can want:
//
//   - numbers of more than 32 bits, whose upper bits it drops;
//   - netmasks with holes;
//   - option codes that cannot be sent (0 and 255 in DHCP, or too large for the
//     width of the space), and encapsulated options inside a record;
//   - "option NAME;;", which makes it crash, and "hardware ethernet;";
//   - a key without a secret, which makes it crash;
//   - subnets and shared-networks inside a pool, which are not of the pool;
//   - % at the beginning of a statement, which skips it;
//   - what the class Refused of Constructs names.
//
// Different in time: host names and gethostbyname are looked up when the file is
// read, not for each packet; a name that is not found is left out with a
// warning. Not different but told: a word that is no statement, such as
// "autoritative;", is an expression to dhcpd and thus legal; it is a warning.
//
// Left to others: ranges that overlap, addresses that are fixed and in a range,
// and boot files that are missing are found when the tree is compiled.
