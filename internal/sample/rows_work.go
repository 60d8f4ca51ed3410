package sample

// work is what a work item's row and the invoice line that bills it both show.
type work struct {
	matter, nth int64 // the nth work item of that matter, from 0
	employee    int64
	task        int64
	day         int64
	kind        string
	rate        int64 // whole dollars, per hour or unit
	units       int64
	total, tax  int64 // cents
}

// work returns the facts of work item i, and the dice for the rest of the row.
func (p *plan) work(i int64) (work, dice) {
	d := p.roll(workItem, i)
	var w work
	w.matter, w.nth = p.shuffle.parent(i)
	w.employee = p.earner(&d)
	w.task = d.below(p.n[taskType])
	w.day = p.matterSpan(w.matter).at(w.nth, p.perMatter(workItem))
	w.rate = p.hourly(w.employee)
	switch kind := d.below(100); {
	case kind < 92: // units of six minutes
		w.kind, w.units = "Time", d.between(1, 10)
		if d.chance(20) {
			w.units += d.between(1, 40)
		}
		w.total = w.rate * w.units * 10
	case kind < 96:
		w.kind, w.units = "Fixed", 1
		w.total = w.rate * 100
	default:
		w.kind, w.units = "Unit", d.between(1, 5)
		w.total = w.rate * w.units * 100
	}
	w.tax = w.total / 10 // exact: totals are multiples of ten cents
	return w, d
}

// perMatter is the most rows of the table that one matter has.
func (p *plan) perMatter(t table) int64 { return (p.n[t] + p.shuffle.n - 1) / p.shuffle.n }

func workItemSpare(p *plan, i int64) bool {
	m, nth := p.shuffle.parent(i)
	return !p.workBilled(m, nth)
}

func workItemRow(p *plan, i int64, r *record) {
	w, d := p.work(i)
	r.id(workItem, i)
	r.date(w.day)
	r.id(matter, w.matter)
	r.id(employee, w.employee)
	billable := true
	switch state := d.below(100); {
	case p.workBilled(w.matter, w.nth):
		r.word("Billed")
	case state < 85:
		r.word("Unbilled")
	case state < 90:
		r.word("Draft")
	case state < 95:
		r.word("WrittenOff")
	default:
		r.word("NonBillable")
		billable = false
	}
	r.word(w.kind)
	r.id(taskType, w.task)
	r.text(d.one(workTitles))
	r.text(d.one(narratives))
	r.cents(w.rate * 100)
	r.tenths(w.units * 10)
	if w.kind == "Time" {
		r.word("6")
	} else {
		r.none()
	}
	r.cents(w.total)
	r.word("GST")
	r.cents(w.tax)
	r.yes(billable)
	p.audited(&d, w.day, r)
}

// cost is what a disbursement's row and the invoice line that bills it both show.
type cost struct {
	matter, nth     int64
	day             int64
	quantity, price int64 // cents
	total, tax      int64 // cents
	title           string
}

func (p *plan) cost(i int64) (cost, dice) {
	d := p.roll(disbursement, i)
	var c cost
	c.matter, c.nth = p.shuffle.parent(i)
	c.day = p.matterSpan(c.matter).at(c.nth, p.perMatter(disbursement))
	c.title = d.one(costs)
	c.quantity, c.price = d.between(1, 4), d.between(500, 90000)
	c.total = c.quantity * c.price
	c.tax = (c.total + 5) / 10
	return c, d
}

func disbursementSpare(p *plan, i int64) bool {
	m, nth := p.shuffle.parent(i)
	return !p.costBilled(m, nth)
}

func disbursementRow(p *plan, i int64, r *record) {
	c, d := p.cost(i)
	kind := d.one([]string{"CostRecovery", "Anticipated", "Incurred", "Incurred", "GeneralLedger"})
	r.id(disbursement, i)
	r.date(c.day)
	r.id(matter, c.matter)
	r.word(kind)
	if p.costBilled(c.matter, c.nth) {
		r.word("Billed")
	} else {
		r.word("Unbilled")
	}
	p.ref(r, employee, p.earner(&d))
	if kind == "Incurred" {
		p.ref(r, supplier, d.below(p.n[supplier]))
	} else {
		r.none()
	}
	if kind == "GeneralLedger" {
		r.word("1150")
	} else {
		r.none()
	}
	r.text(c.title)
	r.none()
	if kind == "Incurred" {
		r.numbered("LRS-", d.below(100000), 4)
	} else {
		r.none()
	}
	r.integer(c.quantity)
	r.cents(c.price)
	r.cents(c.total)
	r.word("GST")
	r.cents(c.tax)
	r.yes(d.chance(60))
	p.audited(&d, c.day, r)
}
