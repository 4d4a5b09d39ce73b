package node

// answer writes an answer beside: the process may be busy saying more, and somebody has
// to take that in meanwhile. It asks nothing more before it has read this one.
func (c *process) answer(text []byte) {
	c.written()
	done := make(chan struct{})
	c.answering = done
	go func() {
		defer close(done)
		if err := write(c.to, toAnswer, text); err != nil {
			c.kill("its answer could not be written: " + err.Error())
		}
	}()
}

func (c *process) written() {
	if c.answering != nil {
		<-c.answering
		c.answering = nil
	}
}

// settle waits for the last answer at the end of a call. What ended without it is not
// used again, and may not read it either.
func (c *process) settle() {
	if c.answering != nil && c.left {
		c.kill("")
	}
	c.written()
}
