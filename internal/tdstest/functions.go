package tdstest

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

const (
	serverName    = "TDSTEST"
	versionText   = "Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64) \n\ttdstest, a test server\n"
	productText   = "16.0.1000.6"
	rowversionLen = 8
)

func textType(n int) sqlType {
	return sqlType{kind: kindNVarChar, length: n, collation: collations[Latin1]}
}

var (
	bigIntType   = sqlType{kind: kindBigInt, length: 8, prec: 19}
	smallIntType = sqlType{kind: kindSmallInt, length: 2, prec: 5}
	dateTimeType = sqlType{kind: kindDateTime, length: 8, prec: 23, scale: 3}
	dateTime2    = sqlType{kind: kindDateTime2, scale: 7}
	offsetType   = sqlType{kind: kindDateTimeOffset, scale: 7}
	binary8      = sqlType{kind: kindVarBinary, length: rowversionLen}
	variantType  = sqlType{kind: kindVariant, length: 8016}
)

// global is @@NAME.
func (s *scope) global(name string) (*expr, *Error) {
	c := s.session
	switch name {
	case "@@version":
		return constant(versionText, textType(300)), nil
	case "@@servername", "@@servicename":
		return constant(serverName, textType(128)), nil
	case "@@spid":
		return constant(int64(c.spid), smallIntType), nil
	case "@@trancount":
		n := int64(0)
		if c.tran != 0 {
			n = 1
		}
		return constant(n, intType), nil
	case "@@dbts":
		return constant(c.server.store.lastVersion(), binary8), nil
	case "@@rowcount", "@@error", "@@nestlevel", "@@fetch_status":
		return constant(int64(0), intType), nil
	case "@@identity":
		return constant(nil, sqlType{kind: kindNumeric, length: 17, prec: 38}), nil
	case "@@lock_timeout":
		return constant(int64(-1), intType), nil
	case "@@max_precision":
		return constant(int64(38), sqlType{kind: kindTinyInt, length: 1, prec: 3}), nil
	case "@@options", "@@datefirst", "@@langid":
		return constant(int64(7), intType), nil
	case "@@language":
		return constant("us_english", textType(128)), nil
	}
	return nil, &Error{137, 2, 15, "Must declare the scalar variable \"" + name + "\"."}
}

// call is a function that is no aggregate.
func (s *scope) call(n callNode) (*expr, *Error) {
	if n.name == "datediff" || n.name == "dateadd" || n.name == "datepart" || n.star || n.distinct {
		return nil, unknownFunction(n.name)
	}
	args, err := s.bindAll(n.args)
	if err != nil {
		return nil, err
	}
	if e, ok := s.niladic(n.name, args); ok {
		return e, nil
	}
	switch n.name {
	case "isnull", "coalesce":
		if len(args) > 0 {
			return coalesce(args), nil
		}
	case "nullif":
		if len(args) == 2 {
			return derived(args[0].typ, args, func(v []any) (any, *Error) {
				if c, ok := 0, false; v[0] != nil && v[1] != nil {
					if c, ok = compare(v[0], v[1]); ok && c == 0 {
						return nil, nil
					}
				}
				return v[0], nil
			}), nil
		}
	case "len", "datalength", "upper", "lower", "ltrim", "rtrim", "trim", "quotename", "abs", "object_id", "object_name",
		"schema_name", "schema_id", "type_name", "db_name", "db_id", "serverproperty", "databasepropertyex", "has_perms_by_name",
		"object_schema_name", "sql_variant_property", "objectproperty", "columnproperty", "type_id", "object_definition",
		"has_dbaccess", "collationproperty", "binary_checksum", "checksum", "concat", "replace", "substring", "left", "right":
		return s.scalar(n.name, args)
	}
	return nil, unknownFunction(n.name)
}

func unknownFunction(name string) *Error {
	return &Error{195, 10, 15, "'" + name + "' is not a recognized built-in function name."}
}

// niladic are the functions without arguments; all of a statement see one moment.
func (s *scope) niladic(name string, args []*expr) (*expr, bool) {
	if len(args) > 0 {
		return nil, false
	}
	c := s.session
	now := time.Now().UTC()
	rounded := func(t sqlType) (*expr, bool) {
		v, err := toTime(now, t)
		return constant(v, t), err == nil
	}
	switch name {
	case "getdate", "getutcdate":
		return rounded(dateTimeType)
	case "sysutcdatetime", "sysdatetime":
		return rounded(dateTime2)
	case "sysdatetimeoffset":
		return rounded(offsetType)
	case "min_active_rowversion":
		v := binary.BigEndian.Uint64(c.server.store.lastVersion()) + 1
		return constant(binary.BigEndian.AppendUint64(nil, v), binary8), true
	case "suser_sname", "suser_name", "original_login", "system_user":
		return constant(c.who.User, textType(128)), true
	case "user_name":
		return constant(c.who.User, textType(128)), true
	case "host_name":
		return constant(c.who.Host, textType(128)), true
	case "app_name", "program_name":
		return constant(c.who.AppName, textType(128)), true
	case "db_name":
		return constant(c.database, textType(128)), true
	case "db_id":
		return constant(databaseID(c.database), smallIntType), true
	case "schema_name":
		return constant("dbo", textType(128)), true
	case "schema_id":
		return constant(int64(1), intType), true
	case "xact_state":
		n := int64(0)
		if c.tran != 0 {
			n = 1
		}
		return constant(n, smallIntType), true
	case "newid":
		return constant(guidText("6F9619FF-8B86-D011-B42D-00C04FC964FF"), sqlType{kind: kindGUID, length: 16}), true
	}
	return nil, false
}

func databaseID(name string) int64 {
	if sameName(name, "master") {
		return 1
	}
	return 5
}

func coalesce(args []*expr) *expr {
	t := commonType(args)
	e := derived(t, args, func(v []any) (any, *Error) {
		for _, x := range v {
			if x != nil {
				return convert(x, t)
			}
		}
		return nil, nil
	})
	e.nullable = args[len(args)-1].nullable
	return e
}

// cast is CAST and CONVERT. Of the styles, 1 and 2 for binary as text, and 3 for float, are known.
func (s *scope) cast(n castNode) (*expr, *Error) {
	e, err := s.bind(n.expr)
	if err != nil {
		return nil, err
	}
	style := int64(0)
	if n.style != nil {
		st, err := s.bind(n.style)
		if err != nil {
			return nil, err
		}
		v, err := steadyValue(st)
		if err != nil {
			return nil, err
		}
		style, _ = v.(int64)
	}
	from := e.typ
	out := strict(n.typ, []*expr{e}, func(v []any) (any, *Error) {
		if t, ok := styled(v[0], from, n.typ, style); ok {
			return convert(t, n.typ)
		}
		x, err := convert(v[0], n.typ)
		if err != nil && n.try {
			return nil, nil
		}
		return x, err
	})
	out.nullable = out.nullable || n.try
	return out, nil
}

// styled writes what depends on the style or on the type it comes from.
func styled(v any, from, to sqlType, style int64) (any, bool) {
	switch x := v.(type) {
	case []byte:
		if to.isText() && (style == 1 || style == 2) {
			return strings.TrimPrefix(hexText(x), map[bool]string{true: "0x"}[style == 2]), true
		}
	case string:
		if style == 1 && to.isBinary() && strings.HasPrefix(strings.ToLower(x), "0x") {
			tokens, err := lex(x)
			if err == nil && len(tokens) == 2 && tokens[0].kind == tokHex {
				p := &parser{tokens: tokens}
				if n, err := p.bare(); err == nil {
					if l, ok := n.(literal); ok {
						return l.value, true
					}
				}
			}
		}
		if to.isBinary() {
			return from.appendBare([]byte{}, x), true
		}
	case float64:
		if to.isText() && style == 3 {
			return floatText(x), true
		}
	case decimalText:
		if to.isText() && (from.kind == kindMoney || from.kind == kindSmallMoney) && style < 2 {
			d, ok := ratDecimal(x.rat(), 38, 2)
			return string(d), ok
		}
	case time.Time:
		if to.isText() {
			return momentText(x, from, style), true
		}
	}
	return nil, false
}

// floatText is the shortest text that reads back as the same number.
func floatText(f float64) string { return strconv.FormatFloat(f, 'e', 16, 64) }
