package mapping

import (
	"dropline/ingest"
	"dropline/schema"
)

// mapped sets a value about which the mapping says more than where it is.
func (r *Reader) mapped(in *input, record []byte, v *ingest.Value) {
	rule := in.rule
	if rule != nil && rule.combine == multiplied {
		r.product(in, record, v)
		return
	}
	raw := r.origin(in, record)
	text := in.trimmed(raw)
	if in.isNull(text) {
		text = nil
	}
	if in.values != nil {
		if found, ok := r.lookUp(in, text); ok {
			if found.Null {
				r.absent(in, raw, v)
				return
			}
			*v = found
			v.Raw = raw
			return
		}
		if len(text) > 0 && !rule.keep {
			if in.otherwise == nil {
				*v = ingest.Value{Null: true, Raw: raw}
				r.fault(in, ingest.CodeNotMember, raw, text)
				return
			}
			if in.otherwise.Null {
				r.absent(in, raw, v)
				return
			}
			*v = *in.otherwise
			v.Raw = raw
			return
		}
	}
	if len(text) == 0 {
		r.absent(in, raw, v)
		return
	}
	text = r.dress(in, text)
	v.Null, v.Raw = false, raw
	if code := r.convert.convert(&in.target, text, v); code != "" {
		v.Null = true
		r.fault(in, code, raw, text)
	}
}

// absent sets the value of a column for which the record has none.
func (r *Reader) absent(in *input, raw []byte, v *ingest.Value) {
	if in.fallback != nil {
		*v = *in.fallback
		v.Raw = raw
		return
	}
	*v = ingest.Value{Null: true, Raw: raw}
	if in.column.Required {
		r.fault(in, ingest.CodeRequired, raw, nil)
	}
}

// origin is the text of the column's field, or of its fields joined.
func (r *Reader) origin(in *input, record []byte) []byte {
	arena := &r.convert.arena
	if in.rule == nil || in.rule.combine != joined {
		return r.text(record, &r.scan.fields[in.fields[0]], arena)
	}
	r.parts = r.parts[:0] // all of them first: those of another encoding are decoded into the arena
	for _, f := range in.fields {
		r.parts = append(r.parts, r.text(record, &r.scan.fields[f], arena))
	}
	start := len(*arena)
	for _, part := range r.parts {
		if in.rule.trim != trimNone {
			part = trimSpace(part)
		}
		if in.isNull(part) {
			continue
		}
		if len(*arena) > start {
			*arena = append(*arena, in.rule.separator...)
		}
		*arena = append(*arena, part...)
	}
	return (*arena)[start:]
}

// trimmed cuts off the white space that the column does not keep.
func (in *input) trimmed(text []byte) []byte {
	if in.rule == nil {
		return trimSpace(text)
	}
	short := trimSpace(text)
	if len(short) == 0 && in.rule.trim != trimNone {
		return nil
	}
	switch in.rule.trim {
	case trimNone:
		return text
	case trimLeft:
		return trimLeading(text)
	case trimRight:
		return trimTrailing(text)
	case trimBoth:
	}
	return short
}

// isNull reports whether text stands for an absent value.
func (in *input) isNull(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	for _, n := range in.nulls {
		if string(text) == n {
			return true
		}
	}
	return false
}

// lookUp finds a text in the mapping's value table, whatever its case and the white space around it.
func (r *Reader) lookUp(in *input, text []byte) (ingest.Value, bool) {
	start := len(r.convert.arena)
	r.convert.arena = lowerInto(r.convert.arena, trimSpace(text))
	v, ok := in.values[string(r.convert.arena[start:])]
	r.convert.arena = r.convert.arena[:start]
	return v, ok
}

// dress changes the case and puts the prefix before a value. A production id has none.
func (r *Reader) dress(in *input, text []byte) []byte {
	rule := in.rule
	if rule == nil || rule.letters == caseKept && rule.prefix == "" {
		return text
	}
	if in.column.IsReferenceList() {
		return r.dressItems(in, text)
	}
	if in.column.References != nil {
		if _, is := r.convert.productionID(text); is {
			return text
		}
	}
	start := len(r.convert.arena)
	switch rule.letters {
	case caseLower:
		r.convert.arena = lowerInto(append(r.convert.arena, rule.prefix...), text)
	case caseUpper:
		r.convert.arena = upperInto(append(r.convert.arena, rule.prefix...), text)
	case caseKept:
		r.convert.arena = append(append(r.convert.arena, rule.prefix...), text...)
	}
	return r.convert.arena[start:]
}

// product multiplies the column's fields, exactly. If one is absent, so is the product.
func (r *Reader) product(in *input, record []byte, v *ingest.Value) {
	c := r.convert
	result := number{digits: []byte("1")}
	*v = ingest.Value{}
	for _, f := range in.fields {
		raw := r.text(record, &r.scan.fields[f], &c.arena)
		text := trimSpace(raw)
		if in.isNull(text) {
			r.absent(in, nil, v)
			return
		}
		factor, arena, ok := parseNumber(text, in.number, c.arena)
		c.arena = arena
		code := ingest.CodeNotNumber
		if ok && len(factor.digits)+len(result.digits) > maxFactorDigits {
			code, ok = ingest.CodeOutOfRange, false
		}
		if !ok {
			v.Null = true
			r.fault(in, code, raw, text)
			return
		}
		c.arena = result.times(factor, c.arena)
	}
	code := ""
	if in.column.Kind != schema.Decimal {
		code = c.setInteger(&in.target, &result, v)
	} else {
		code = c.setDecimal(&in.target, &result, v)
	}
	if code != "" {
		v.Null = true
		text := result.appendTo(nil)
		r.fault(in, code, text, text)
	}
}
