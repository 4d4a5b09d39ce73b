// Package child runs programs that are not trusted with the machine: for code
// steps and for exec.run.
//
// Obligations:
//
//  1. A child gets the environment, the files and the folder that it is given, and
//     nothing of ours: no shell, no inherited variable, no open descriptor.
//  2. It leads a process group. When it ends, or is killed, whatever it left in the
//     group is killed with it, before its output is taken for whole. On Linux it
//     also dies with the process that started it.
//  3. Limits (Linux): memory, processor time, open files and the size of files are
//     limits of each of its processes, set within the first moment of its life;
//     Processes is a limit of the group, watched, since the kernel has it per user
//     and not for root.
//  4. Stdout and stderr are bounded by whoever reads them: see Bounded.
//
// It is no sandbox: a child has our user's rights, may open what that user may, and
// reach the network. A process that makes a session of its own leaves the group; it
// is found by the variable ZFLOW_CHILD that every child is given, unless it hides
// that.
package child
