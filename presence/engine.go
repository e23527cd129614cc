package presence

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what an engine is made of.
type Options struct {
	Config EngineConfig

	Catalogue *Catalogue // nil: the default one

	// Terms says what the merge has to know of a subject. It is called by many
	// goroutines and must not wait. Nil: nothing.
	Terms func(Subject, Kind) Terms

	// Volatile are what the names of those sources begin with that end with this
	// program and say again what they know when they are back: "client/". What they
	// said before a restart is stale until then. Other sources are taken at their
	// word until it expires.
	Volatile []string

	// Expired hears of each contribution that has come to its end and turns into
	// nothing, once; after a restart of those too that did meanwhile. What was
	// replaced or withdrawn before is not among them. It must not wait. Nil: nobody.
	Expired func(Subject, Kind, *Contribution)

	Store   Store   // nil: nothing is kept over a restart
	Journal Journal // nil: nobody reads what was

	Shards int // 0 lets the engine choose
	Log    *slog.Logger
}

// Engine owns what is known of all subjects. Each belongs to one shard, whose
// goroutine alone changes it. All methods are safe for use by many goroutines.
type Engine struct {
	// Fixed.
	opts   Options
	shards []*shard
	seed   maphash.Seed
	ended  chan struct{} // closed when Run has ended

	// Safe.
	version   atomic.Uint64            // the last that was given
	entry     atomic.Int64             // the last id in the journal
	all       atomic.Pointer[[]*Watch] // watches of all subjects
	catalogue atomic.Pointer[Catalogue]
	saver     *saver                      // nil without a store
	load      func(context.Context) error // once

	watches sync.Mutex // held to change all
}

// The errors of reports.
var (
	// ErrEndless says that a contribution has no end. Its source is wrong.
	ErrEndless = errors.New("presence: a contribution has no end")
	// ErrNameless says that there is no subject, or no source.
	ErrNameless = errors.New("presence: a report without subject or source")
	// ErrTooMany says that a subject has too many sources, or a source too many
	// contributions.
	ErrTooMany = errors.New("presence: too many contributions")
	// ErrBusy says that too many reports wait. Report again later.
	ErrBusy = errors.New("presence: too many reports wait")
	// ErrEnded says that the engine does not run any more.
	ErrEnded = errors.New("presence: the engine has ended")
)

// NewEngine returns an engine that knows nothing. It starts nothing.
func NewEngine(o Options) *Engine {
	if o.Shards <= 0 {
		o.Shards = min(16, runtime.GOMAXPROCS(0))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Terms == nil {
		o.Terms = func(Subject, Kind) Terms { return Terms{} }
	}
	if o.Catalogue == nil {
		o.Catalogue = DefaultCatalogue()
	}
	e := &Engine{opts: o, seed: maphash.MakeSeed(), ended: make(chan struct{})}
	e.all.Store(new([]*Watch))
	e.catalogue.Store(o.Catalogue)
	for range o.Shards {
		e.shards = append(e.shards, newShard(e))
	}
	if o.Store != nil {
		e.saver = newSaver(e)
	}
	var once sync.Once
	var failure error
	e.load = func(ctx context.Context) error {
		once.Do(func() { failure = e.restore(ctx) })
		return failure
	}
	return e
}

// Load reads what was known before a restart, unless that was done. After it State
// has answers; reports wait until Run. Run loads by itself.
func (e *Engine) Load(ctx context.Context) error { return e.load(ctx) }

// Run works until ctx is done, and then stores what is left. It runs once.
func (e *Engine) Run(ctx context.Context) error {
	defer close(e.ended)
	if err := e.Load(ctx); err != nil {
		return err
	}
	// The shards are asked for what is left, so they end last.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	var shards, others sync.WaitGroup
	for _, s := range e.shards {
		shards.Go(func() { s.run(inner) })
	}
	if e.saver != nil {
		others.Go(func() { e.saver.run(ctx) })
	}
	if e.opts.Journal != nil && e.opts.Config.Journal > 0 {
		others.Go(func() { e.sweep(ctx) })
	}
	<-ctx.Done()
	others.Wait()
	stop()
	shards.Wait()
	return nil
}

// Report replaces all that a source said about a subject. With no contributions
// the source has nothing to say any more. Who does not know since when something is so
// leaves Since zero: then it is so since it was first said. It never waits for the
// database.
func (e *Engine) Report(subject Subject, kind Kind, source string, cs []Contribution) error {
	if subject == "" || source == "" {
		return ErrNameless
	}
	said, err := tidy(source, cs)
	if err != nil {
		return err
	}
	select {
	case <-e.ended:
		return ErrEnded
	default:
	}
	return e.shardOf(subject).in.post(report{subject: subject, kind: kind, source: source, said: said})
}

// State returns what is shown of a subject, nil if nothing is known of it. It
// waits for nobody. What others than chat clients have a share in is the same pointer
// as long as it stays the same.
func (e *Engine) State(subject Subject) *Effective {
	h := maphash.String(e.seed, string(subject))
	if en := e.shards[h%uint64(len(e.shards))].table.find(h, subject); en != nil {
		return en.state()
	}
	return nil
}

// All returns the states of all subjects, in no order.
func (e *Engine) All() iter.Seq[*Effective] {
	return func(yield func(*Effective) bool) {
		for _, s := range e.shards {
			for en := range s.table.all() {
				if shown := en.state(); shown != nil && !yield(shown) {
					return
				}
			}
		}
	}
}

// Contributions returns all that is said of a subject now, with what is masked or
// has lapsed, for explain.
func (e *Engine) Contributions(ctx context.Context, subject Subject) (out []Contribution, err error) {
	err = e.shardOf(subject).ask(ctx, func(s *shard) {
		if en := s.entry(subject); en != nil {
			out = en.flat(nil)
		}
	})
	return out, err
}

// Catalogue returns the states that there are.
func (e *Engine) Catalogue() *Catalogue { return e.catalogue.Load() }

// Explain says why a subject is in the state that all that is said of it comes to
// now, which others may hear of in a moment. kind is that of a subject of which nothing
// is known yet.
func (e *Engine) Explain(ctx context.Context, subject Subject, kind Kind) (Explanation, error) {
	cs, err := e.Contributions(ctx, subject)
	if err != nil {
		return Explanation{}, err
	}
	if shown := e.State(subject); shown != nil {
		kind = shown.Kind
	}
	cat := e.Catalogue()
	return Explain(subject, kind, cs, cat, e.opts.Terms(subject, kind), cat.Language(), time.Now()), nil
}

// Synced says that all sources whose names begin with prefix have said all that
// they know since the restart. What they have not said again is gone.
func (e *Engine) Synced(prefix string) {
	for _, s := range e.shards {
		s.in.ask(func(s *shard) { s.drop(prefix, true, time.Now()) })
	}
}

// Forget removes a subject, for one that does not exist any more. What the journal
// says of it goes when it is old. Watches hear of it, and State returns nil.
func (e *Engine) Forget(subject Subject) {
	e.shardOf(subject).in.ask(func(s *shard) { s.forget(subject, time.Now()) })
}

// UseCatalogue has all states made again with another catalogue.
func (e *Engine) UseCatalogue(c *Catalogue) {
	e.catalogue.Store(c)
	for _, s := range e.shards {
		s.in.ask(func(s *shard) {
			now := time.Now()
			for en := range s.table.all() {
				s.merge(en, why{how: "the catalogue has changed"}, now)
			}
		})
	}
}

// Refresh has the state of a subject made again, because its [Terms] have changed.
func (e *Engine) Refresh(subject Subject) {
	e.shardOf(subject).in.ask(func(s *shard) {
		if en := s.entry(subject); en != nil {
			s.merge(en, why{how: "its terms have changed"}, time.Now())
		}
	})
}

func (e *Engine) shardOf(subject Subject) *shard {
	return e.shards[maphash.String(e.seed, string(subject))%uint64(len(e.shards))]
}
