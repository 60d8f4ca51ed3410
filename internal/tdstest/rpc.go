package tdstest

import (
	"encoding/binary"
	"errors"
	"strings"
)

// The procedures that have numbers: MS-TDS 2.2.6.6.
var numberedProcedures = map[uint16]string{
	10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 15: "sp_unprepare",
}

const (
	byReference  = 1
	defaultValue = 2
	maxParams    = 2100
)

type param struct {
	name  string
	flags byte
	typ   sqlType
	value any
}

type preparedText struct {
	text  string
	names []string
}

// readRPC reads the procedure's name and its parameters.
func readRPC(data []byte) (string, []param, error) {
	in := &cursor{b: data}
	in.headers()
	var name string
	if n := in.uint16(); n == 0xffff {
		id := in.uint16()
		if name = numberedProcedures[id]; name == "" {
			name = "procedure number " + plainText(int64(id))
		}
	} else {
		name = in.text(int(n))
	}
	in.uint16()
	var params []param
	for len(in.b) > 0 && !in.bad {
		if b := in.b[0]; b == 0x80 || b == 0xff || b == 0xfe {
			return "", nil, errors.New("several procedures in one request")
		}
		p := param{name: in.text(int(in.uint8())), flags: in.uint8()}
		var ok bool
		if p.typ, ok = readInfo(in); !ok || len(params) == maxParams {
			return "", nil, errProtocol
		}
		if p.value, ok = readValue(in, p.typ); !ok {
			return "", nil, errProtocol
		}
		params = append(params, p)
	}
	if in.bad {
		return "", nil, errProtocol
	}
	return name, params, nil
}

// rpc runs a procedure.
func (c *session) rpc(data []byte) error {
	name, params, err := readRPC(data)
	if err != nil {
		return c.fail(&Error{8009, 1, 16, "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is incorrect."}, tokenDoneProc, false)
	}
	name = strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	switch {
	case name == "sp_executesql" && len(params) >= 1:
		return c.runParams(params[0], declared(params, 1), params[min(2, len(params)):], nil)
	case (name == "sp_prepexec" || name == "sp_prepare") && len(params) >= 3:
		handle := c.prepare(params[2], declared(params, 1))
		back := []param{{name: params[0].name, typ: intType, value: int64(handle)}}
		if name == "sp_prepare" {
			return c.finishProc(back)
		}
		return c.runParams(params[2], declared(params, 1), params[3:], back)
	case name == "sp_execute" && len(params) >= 1:
		handle, _ := params[0].value.(int64)
		p, ok := c.prepared[int32(handle)]
		if !ok {
			return c.fail(&Error{8179, 2, 16, "Could not find prepared statement with handle " + plainText(handle) + "."}, tokenDoneProc, false)
		}
		return c.runParams(param{value: p.text}, p.names, params[1:], nil)
	case name == "sp_unprepare" && len(params) >= 1:
		handle, _ := params[0].value.(int64)
		delete(c.prepared, int32(handle))
		return c.finishProc(nil)
	case name == "sp_describe_first_result_set" && len(params) >= 1:
		return c.describe(params)
	default:
		return c.fail(&Error{2812, 62, 16, "Could not find stored procedure '" + name + "'."}, tokenDoneProc, false)
	}
}

var intType = sqlType{kind: kindInt, length: 4, prec: 10}

// maxPrepared bounds what a session can have prepared.
const maxPrepared = 1000

func (c *session) prepare(text param, names []string) int32 {
	if len(c.prepared) >= maxPrepared {
		clear(c.prepared)
	}
	c.handles++
	s, _ := text.value.(string)
	c.prepared[c.handles] = preparedText{s, names}
	return c.handles
}

// declared gives the names in a declaration like "@p1 int,@p2 nvarchar(10)", for parameters that come without.
func declared(params []param, at int) []string {
	if at >= len(params) {
		return nil
	}
	text, _ := params[at].value.(string)
	tokens, err := lex(text)
	if err != nil {
		return nil
	}
	var names []string
	for _, t := range tokens {
		if t.kind == tokParam {
			names = append(names, t.text)
		}
	}
	return names
}

// runParams runs a text with parameters and gives back values after it.
func (c *session) runParams(text param, names []string, params, back []param) error {
	s, ok := text.value.(string)
	if !ok {
		return c.fail(&Error{214, 2, 16, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'."}, tokenDoneProc, false)
	}
	values := make(map[string]param, len(params))
	for i, p := range params {
		if p.name == "" && i < len(names) {
			p.name = names[i]
		}
		values[strings.ToLower(p.name)] = p
	}
	if err := c.run(s, values, true); err != nil {
		if errors.Is(err, errFailed) {
			c.returnStatus(1)
			c.done(tokenDoneProc, doneError, 0, 0)
			return nil
		}
		return err
	}
	for _, p := range params {
		if p.flags&byReference != 0 {
			back = append(back, p)
		}
	}
	return c.finishProc(back)
}

func (c *session) returnStatus(n uint32) {
	c.out.put(binary.LittleEndian.AppendUint32([]byte{tokenReturnStatus}, n))
}

// finishProc writes what ends a procedure: RETURNSTATUS, the values of its output parameters, DONEPROC.
func (c *session) finishProc(back []param) error {
	c.returnStatus(0)
	for i, p := range back {
		b := binary.LittleEndian.AppendUint16([]byte{tokenReturnValue}, uint16(i))
		b = appendByteText(b, p.name)
		b = append(b, 1)
		b = binary.LittleEndian.AppendUint32(b, p.typ.userType())
		b = binary.LittleEndian.AppendUint16(b, 1)
		b = p.typ.appendInfo(b, true)
		c.out.put(p.typ.appendValue(b, p.value, true))
	}
	c.done(tokenDoneProc, 0, 0, 0)
	return nil
}
