package transcript

import (
	"errors"
	"fmt"
	"testing/synctest"
)

// says is a line about what a source knows of somebody.
type says Saying

func (a says) act(st *stage) error {
	sources, ok := st.open().(Sources)
	if !ok {
		return errors.New("in this world only clients know something of people")
	}
	if err := st.account(a.Who); err != nil {
		return err
	}
	if err := sources.Say(Saying(a)); err != nil {
		return fmt.Errorf("%s says that %s is %s: %w", a.Source, a.Who, a.State, err)
	}
	synctest.Wait()
	return nil
}
