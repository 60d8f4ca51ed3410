package sample

// maxAllocations of one invoice: each must be of a cent at least.
const maxAllocations = 100

// part returns the rows [from, to) of the n rows that belong to whole k of count, when they are shared out in order.
func part(k, n, count int64) (from, to int64) {
	return (k*n + count - 1) / count, ((k+1)*n + count - 1) / count
}

// linesPerInvoice is the most lines that one invoice has.
func (p *plan) linesPerInvoice() int64 {
	if p.n[invoice] == 0 {
		return 0
	}
	return (p.n[invoiceLine] + p.n[invoice] - 1) / p.n[invoice]
}

func (p *plan) invoiceLines(k int64) (from, to int64) { return part(k, p.n[invoiceLine], p.n[invoice]) }

// isCostLine reports whether the line at a place of an invoice bills a disbursement: the last one does, of three or more.
func isCostLine(place, lines int64) bool { return lines >= 3 && place == lines-1 }

// workBilled reports whether the nth work item of a matter is on an invoice. The matter's invoices bill its work in order,
// linesPerInvoice items each.
func (p *plan) workBilled(m, nth int64) bool {
	per := p.linesPerInvoice()
	if per == 0 {
		return false
	}
	k := p.shuffle.child(m, nth/per)
	if k >= p.n[invoice] {
		return false
	}
	from, to := p.invoiceLines(k)
	place := nth % per
	return place < to-from && !isCostLine(place, to-from)
}

// costBilled is workBilled for disbursements, of which each invoice bills one at most.
func (p *plan) costBilled(m, nth int64) bool {
	if p.n[invoice] == 0 {
		return false
	}
	k := p.shuffle.child(m, nth)
	if k >= p.n[invoice] {
		return false
	}
	from, to := p.invoiceLines(k)
	return to-from >= 3
}

// line is one invoice line.
type line struct {
	work, cost   int64 // the row billed, or -1
	tenths       int64 // quantity
	price        int64 // cents
	tax, total   int64 // cents, tax included
	text         string
	disbursement bool
}

// line returns the line at a place of invoice k, which bills the round-th batch of matter m.
func (p *plan) line(k, m, round, place, lines int64) line {
	d := p.roll(invoiceLine, k*p.linesPerInvoice()+place)
	l := line{work: -1, cost: -1, disbursement: isCostLine(place, lines)}
	if l.disbursement {
		if i := p.shuffle.child(m, round); i < p.n[disbursement] {
			c, _ := p.cost(i)
			l.cost, l.tenths, l.price, l.tax, l.text = i, c.quantity*10, c.price, c.tax, c.title
			l.total = c.total + c.tax
			return l
		}
	} else if i := p.shuffle.child(m, round*p.linesPerInvoice()+place); i < p.n[workItem] {
		w, _ := p.work(i)
		l.work, l.price, l.tax, l.total = i, w.rate*100, w.tax, w.total+w.tax
		l.tenths, l.text = w.units*10, "Professional fees"
		if w.kind == "Time" {
			l.tenths = w.units
		}
		return l
	}
	l.tenths, l.price, l.text = 10*d.between(1, 5), 1000*d.between(5, 60), "As agreed"
	l.tax = l.tenths * l.price / 100
	l.total = l.tenths*l.price/10 + l.tax
	return l
}

// bill is what an invoice's row and those of its receipts and credits both show.
type bill struct {
	matter            int64
	from, to          int64 // days of the work
	fees, costs, tax  int64 // cents
	total, allocation int64 // cents; allocation is what each receipt of it pays
	allocations       int64
	credit, credits   int64 // cents of each credit note of it, and how many there are
}

func (b bill) outstanding() int64 { return b.total - b.credits*b.credit - b.allocations*b.allocation }

func (p *plan) bill(k int64) bill {
	m, round := p.shuffle.parent(k)
	d := p.roll(invoice, -1-k)
	b := bill{matter: m}
	s, per := p.matterSpan(m), p.linesPerInvoice()
	b.from = s.at(round*per, p.perMatter(workItem))
	b.to = s.at((round+1)*per, p.perMatter(workItem))
	first, end := p.invoiceLines(k)
	for place := range end - first {
		l := p.line(k, m, round, place, end-first)
		if l.disbursement {
			b.costs += l.total - l.tax
		} else {
			b.fees += l.total - l.tax
		}
		b.tax += l.tax
	}
	if end == first {
		b.fees = 10000 * d.between(1, 50)
		b.tax = b.fees / 10
	}
	b.total = b.fees + b.costs + b.tax
	b.credits = (p.n[creditNote] + p.n[invoice] - 1 - k) / p.n[invoice]
	if b.credits > 0 { // half of the invoice at most: the rest is paid
		b.credit = max(min(1100*d.between(1, 20), b.total/(2*b.credits)), 1)
	}
	b.allocations = (p.n[receiptAllocation] + p.n[invoice] - 1 - k) / p.n[invoice]
	if b.allocations > 0 {
		b.allocation = (b.total - b.credits*b.credit) / b.allocations
		if d.chance(20) {
			b.allocation = max(b.allocation/2, 1)
		}
	}
	return b
}

func invoiceRow(p *plan, i int64, r *record) {
	d := p.roll(invoice, i)
	b := p.bill(i)
	r.id(invoice, i)
	r.numbered("INV-", i+1, 6)
	r.date(b.to)
	r.date(b.to + 14)
	r.id(matter, b.matter)
	r.id(client, p.matterClient(b.matter))
	p.ref(r, employee, p.earner(&d))
	if b.outstanding() == 0 {
		r.word("Paid")
	} else {
		r.word("Issued")
	}
	r.date(b.from)
	r.date(b.to)
	r.cents(b.fees)
	r.cents(b.costs)
	r.cents(b.tax)
	r.cents(b.total)
	r.cents(b.outstanding())
	r.word("AUD")
	r.word("Professional fees and disbursements")
	p.audited(&d, b.to, r)
}

func invoiceLineRow(p *plan, i int64, r *record) {
	k := i * p.n[invoice] / p.n[invoiceLine]
	from, to := p.invoiceLines(k)
	m, round := p.shuffle.parent(k)
	l := p.line(k, m, round, i-from, to-from)
	r.id(invoiceLine, i)
	r.id(invoice, k)
	r.integer(i - from + 1)
	if l.disbursement {
		r.word("Disbursement")
	} else {
		r.word("Fee")
	}
	if l.work >= 0 {
		r.id(workItem, l.work)
	} else {
		r.none()
	}
	if l.cost >= 0 {
		r.id(disbursement, l.cost)
	} else {
		r.none()
	}
	if l.disbursement {
		r.word("4100")
	} else {
		r.word("4000")
	}
	r.text(l.text)
	r.tenths(l.tenths)
	r.cents(l.price)
	r.word("GST")
	r.cents(l.tax)
	r.cents(l.total)
}

// payment returns the sum of a receipt's allocations, the matter of the first, and the day by which all were billed.
func (p *plan) payment(k int64) (amount, matter, day int64) {
	from, to := part(k, p.n[receiptAllocation], p.n[receipt])
	matter = -1
	for a := from; a < to; a++ {
		b := p.bill(a % p.n[invoice])
		amount += b.allocation
		day = max(day, b.to)
		if matter < 0 {
			matter = b.matter
		}
	}
	if matter < 0 {
		d := p.roll(receipt, -1-k)
		amount, day = 1000*d.between(5, 500), firstDay+d.below(lastDay-firstDay)
	}
	return amount, matter, day + 10
}

func receiptRow(p *plan, i int64, r *record) {
	d := p.roll(receipt, i)
	amount, m, day := p.payment(i)
	if d.chance(5) {
		amount += 100 * d.between(1, 100) // paid too much; the rest is unallocated
	}
	r.id(receipt, i)
	r.numbered("R-", i+1, 6)
	r.date(day)
	r.cents(amount)
	if m >= 0 {
		r.id(client, p.matterClient(m))
		r.id(matter, m)
	} else {
		r.none()
		r.none()
	}
	p.ref(r, bankAccount, 0)
	r.word(d.one(payments))
	first, last := d.one(firstNames), d.one(lastNames)
	r.text(first, " ", last)
	if from, to := part(i, p.n[receiptAllocation], p.n[receipt]); from < to {
		r.numbered("INV-", from%p.n[invoice]+1, 6)
	} else {
		r.none()
	}
	r.yes(false)
	p.audited(&d, day, r)
}

func receiptAllocationRow(p *plan, i int64, r *record) {
	k := i * p.n[receipt] / p.n[receiptAllocation]
	_, _, day := p.payment(k)
	on := i % p.n[invoice]
	r.id(receiptAllocation, i)
	r.id(receipt, k)
	r.id(invoice, on)
	r.cents(p.bill(on).allocation)
	r.date(day)
}

func creditNoteRow(p *plan, i int64, r *record) {
	d := p.roll(creditNote, i)
	r.id(creditNote, i)
	r.numbered("CN-", i+1, 5)
	total := 1100 * d.between(1, 20)
	if p.n[invoice] > 0 {
		b := p.bill(i % p.n[invoice])
		r.date(b.to + 20)
		r.id(invoice, i%p.n[invoice])
		r.id(client, p.matterClient(b.matter))
		r.id(matter, b.matter)
		total = b.credit
	} else {
		r.date(lastDay)
		r.none()
		r.none()
		r.none()
	}
	r.word("GST")
	r.cents(total / 11)
	r.cents(total)
	r.word("Agreed reduction")
}
