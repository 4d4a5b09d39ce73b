package broker

import (
	"fmt"

	"go.uber.org/zap"
)

// serverLog writes the nats-server's log with ours.
type serverLog struct {
	log   *zap.SugaredLogger
	fatal chan string // the first reason why the server cannot go on
}

// Noticef implements the server's Logger. Its notices are a banner and what we
// say ourselves in one line.
func (l *serverLog) Noticef(format string, v ...any) { l.log.Debugf(format, v...) }

// Warnf implements the server's Logger.
func (l *serverLog) Warnf(format string, v ...any) { l.log.Warnf(format, v...) }

// Errorf implements the server's Logger.
func (l *serverLog) Errorf(format string, v ...any) { l.log.Errorf(format, v...) }

// Debugf implements the server's Logger.
func (l *serverLog) Debugf(format string, v ...any) { l.log.Debugf(format, v...) }

// Tracef implements the server's Logger.
func (l *serverLog) Tracef(format string, v ...any) { l.log.Debugf(format, v...) }

// Fatalf keeps the reason for whoever started the server, and does not exit.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.log.Errorf(format, v...)
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default: // the first reason is the cause of the others
	}
}
