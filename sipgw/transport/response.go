package transport

// A Response is an answer that came to a request that left here.
type Response struct {
	Message

	status int
	reason string
}

// Status is the status code, 100 to 699.
func (r *Response) Status() int { return r.status }

// Reason is the reason phrase.
func (r *Response) Reason() string { return r.reason }

// Provisional reports whether another response follows.
func (r *Response) Provisional() bool { return r.status < 200 }

// OK reports whether the request succeeded.
func (r *Response) OK() bool { return r.status >= 200 && r.status < 300 }

// ParseResponse reads a response, for tests and for what is not a socket.
func ParseResponse(data []byte) (*Response, error) {
	_, res, err := parse(data)
	if err == nil && res == nil {
		err = errNoMessage
	}
	return res, err
}
