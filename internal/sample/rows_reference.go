package sample

import "dropline/schema"

// The window in which everything happens, as days since 1970: the firm took up its present system on 1 July 2021 and
// exports what it had on 31 October 2026.
const (
	firstDay = 18809
	lastDay  = 20757
)

// seeded writes row i of a table that starts with the schema's seed rows, exactly as they are there, so that a tenant
// provisioned with them finds them unchanged. It reports whether it did.
func (p *plan) seeded(t table, i int64, r *record) bool {
	if i >= int64(len(p.seeds[t])) {
		return false
	}
	writeSeed(p.seeds[t][i], r)
	return true
}

func writeSeed(seed schema.Seed, r *record) {
	for _, v := range seed {
		if v == nil {
			r.none()
		} else {
			r.text(*v)
		}
	}
}

// audited adds the four columns that most tables end with.
func (p *plan) audited(d *dice, day int64, r *record) {
	who := d.below(p.n[employee])
	r.numbered("user", who+1, 3)
	r.stamp(day, d.between(8*3600, 18*3600))
	if d.chance(20) {
		r.numbered("user", who+1, 3)
		r.stamp(day+d.between(0, 20), d.between(8*3600, 18*3600))
		return
	}
	r.none()
	r.none()
}

func currencyRow(p *plan, i int64, r *record) {
	if p.seeded(currency, i, r) {
		return
	}
	at := i - int64(len(p.seeds[currency]))
	if at < int64(len(extraMoney)) {
		m := extraMoney[at]
		r.word(m[0])
		r.word(m[0])
		r.word(m[1])
		r.word(m[2])
	} else {
		r.id(currency, i)
		r.word("XX" + string(rune('A'+at%26)))
		r.text("Token ", string(rune('A'+at%26)))
		r.none()
	}
	r.integer(2)
}

func officeRow(p *plan, i int64, r *record) {
	d := p.roll(office, i)
	name := officeNames[i%int64(len(officeNames))]
	where := places[d.below(int64(len(places)))]
	r.id(office, i)
	r.word(name)
	r.numbered("OF", i+1, 2)
	r.numbered(d.one(streets)+" ", d.between(1, 400), 1)
	r.word(where.city)
	r.word(where.state)
	r.word(where.code)
	r.word(where.country)
	r.numbered("02 9999 ", d.below(10000), 4)
	r.numbered("office", i+1, 1)
	r.replace(len(r.ends)-1, string(r.value(len(r.ends)-1))+"@example.com")
	r.word("AUD")
	r.yes(true)
}

// earner returns an employee who records time, at random.
func (p *plan) earner(d *dice) int64 {
	e := d.below(p.n[employee])
	if !earns(e) {
		return e - 1
	}
	return e
}

func earns(e int64) bool { return e%4 != 3 }

// hourly is an employee's charge per hour in whole dollars.
func (p *plan) hourly(e int64) int64 {
	d := p.roll(employee, -1-e)
	return 200 + 25*d.below(17)
}

func employeeRow(p *plan, i int64, r *record) {
	d := p.roll(employee, i)
	first, last := d.one(firstNames), d.one(lastNames)
	r.id(employee, i)
	r.text(last, ", ", first)
	r.text(first)
	r.text(last)
	r.numbered(initial(first)+initial(last), i+1, 1)
	switch {
	case !earns(i):
		r.word("Legal secretary")
		r.word("Support")
	case i%8 == 0:
		r.word("Partner")
		r.word("Partner")
	default:
		r.text(d.one(positions[1:]))
		r.word("Solicitor")
	}
	p.ref(r, office, d.below(p.n[office]))
	if i == 0 {
		r.none()
	} else {
		r.id(employee, i/4)
	}
	r.numbered("user", i+1, 3)
	r.replace(len(r.ends)-1, string(r.value(len(r.ends)-1))+"@example.com")
	r.cents(p.hourly(i) * 100)
	start := firstDay - d.below(3000)
	r.date(start)
	r.yes(earns(i))
	r.yes(d.chance(95))
	p.audited(&d, firstDay, r)
}

// ref adds a reference to row i of a table, or nothing where the table is empty.
func (p *plan) ref(r *record, t table, i int64) {
	if p.n[t] == 0 {
		r.none()
		return
	}
	r.id(t, i%p.n[t])
}

func journalRow(p *plan, i int64, r *record) {
	if p.seeded(journal, i, r) {
		return
	}
	r.id(journal, i)
	r.numbered("Office journal ", i+1, 1)
	r.word("Office")
	r.numbered("J", i+1, 1)
	r.none()
}

func accountRow(p *plan, i int64, r *record) {
	if p.seeded(account, i, r) {
		return
	}
	d := p.roll(account, i)
	r.id(account, i)
	r.numbered(d.one(matterKinds)+" costs ", i+1, 1)
	r.word("OFFICE")
	r.word("6000")
	r.word("Expense")
	r.none()
	r.word("Expense")
	r.numbered("7", i+1, 4)
	r.word("GST")
}

func taxCodeRow(p *plan, i int64, r *record) {
	if p.seeded(taxCode, i, r) {
		return
	}
	r.id(taxCode, i)
	r.numbered("TAX", i+1, 1)
	r.word("Former rate")
	r.word("12.5")
	r.word("2200")
	r.word("1190")
}

func matterTypeRow(_ *plan, i int64, r *record) {
	r.id(matterType, i)
	if i < int64(len(matterKinds)) {
		r.text(matterKinds[i])
	} else {
		r.numbered(matterKinds[i%int64(len(matterKinds))]+" ", i+1, 1)
	}
	r.numbered("MT", i+1, 2)
	r.yes(true)
}

func taskTypeRow(p *plan, i int64, r *record) {
	d := p.roll(taskType, i)
	r.id(taskType, i)
	if i < int64(len(taskNames)) {
		r.text(taskNames[i])
	} else {
		r.numbered(taskNames[i%int64(len(taskNames))]+" ", i+1, 1)
	}
	r.numbered("T", i+1, 3)
	r.word("Time")
	r.cents(100 * (200 + 25*d.below(10)))
	r.word("6")
	r.word("GST")
	r.word("4000")
	r.yes(true)
}

// initial is the first letter of a name.
func initial(name string) string {
	for _, letter := range name {
		return string(letter)
	}
	return ""
}
