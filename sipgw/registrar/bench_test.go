package registrar

import (
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

func benchRequest(b testing.TB, i int) Registration {
	contacts, _, err := ParseContacts([]string{fmt.Sprintf(
		`<sip:%d@192.0.2.%d:5060;transport=udp;line=abcdef>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-%012d>"`, i, i%250, i)})
	if err != nil {
		b.Fatal(err)
	}
	return Registration{
		AOR: fmt.Sprintf("%d@phones.example.org", i), CallID: fmt.Sprintf("%032d@192.0.2.1", i), CSeq: 1, Contacts: contacts, Expires: -1, FirstHop: true,
		UserAgent: "Example Phone T46S 66.86.0.15", Flow: Flow{Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(i))},
	}
}

func benchRegistrar() *Registrar {
	return New(Parts{Store: &shelf{}, Log: slog.New(slog.DiscardHandler)}, Config{})
}

func BenchmarkRefresh(b *testing.B) {
	const devices = 10_000
	r := benchRegistrar()
	q := NewQualifier(QualifyParts{}, QualifyConfig{Every: time.Minute})
	r.OnChange(q.Observe)
	all := make([]Registration, devices)
	for i := range all {
		all[i] = benchRequest(b, i)
		r.Register(start, all[i])
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		reg := &all[i%devices]
		reg.CSeq++
		if got := r.Register(start.Add(time.Duration(i)), *reg); got.Status != 200 {
			b.Fatalf("%+v", got)
		}
	}
}

func BenchmarkParseContact(b *testing.B) {
	value := []string{`<sip:2001@192.0.2.1:5060;transport=udp;line=abcdef>;q=1;expires=300;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000001>"`}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseContacts(value); err != nil {
			b.Fatal(err)
		}
	}
}

// Ten thousand devices have to be small, with what is known of how they are, while
// they register and refresh.
func TestMemory(t *testing.T) {
	const devices, most = 10_000, 1400
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	r := benchRegistrar()
	q := NewQualifier(QualifyParts{}, QualifyConfig{Every: time.Minute})
	r.OnChange(q.Observe)
	for round := range 3 {
		for i := range devices {
			reg := benchRequest(t, i)
			reg.CSeq += uint32(round)
			if got := r.Register(start.Add(time.Duration(round)*time.Minute), reg); got.Status != 200 {
				t.Fatalf("%+v", got)
			}
		}
		if !r.keeper.Flush(t.Context()) {
			t.Fatal("not stored")
		}
	}
	r.parts.Store.(*shelf).has = nil
	each := (heap() - before) / devices
	t.Logf("%d bytes a binding", each)
	if each > most {
		t.Errorf("a binding takes %d bytes, more than %d", each, most)
	}
	runtime.KeepAlive(r)
	runtime.KeepAlive(q)
}

func BenchmarkHeard(b *testing.B) { heard(b, func(*Registration) {}) }

// BenchmarkHeardByOne is the same with all of them behind one proxy.
func BenchmarkHeardByOne(b *testing.B) {
	heard(b, func(r *Registration) { r.Flow = Flow{Remote: netip.MustParseAddrPort("192.0.2.1:5060")} })
}

func heard(b *testing.B, edit func(*Registration)) {
	const devices = 10_000
	r := benchRegistrar()
	q := NewQualifier(QualifyParts{}, QualifyConfig{Every: time.Minute})
	r.OnChange(q.Observe)
	all := make([]Registration, devices)
	for i := range all {
		all[i] = benchRequest(b, i)
		edit(&all[i])
		r.Register(start, all[i])
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		q.Heard(start, all[i%devices].Flow)
	}
}
