// Package sealed keeps credentials unreadable inside stored text. A credential is
// replaced by a marker that carries it encrypted to the workers' public key; a
// marker is moved about like any text and opened only by who holds the keys.
//
// Obligations:
//
//  1. What is handed to Seal or found by SealJSON never comes out readable: where
//     it cannot be sealed the answer is an error, or "••••", never the value.
//  2. A marker delimits itself and consists of [A-Za-z0-9._~-] only: it survives
//     JSON strings, URLs, headers and concatenation, and is found inside any text.
//  3. SealJSON changes the bytes of the sealed values and no others.
//  4. Sealing needs the public key only; several private keys open during a
//     rotation, the first is the one whose public half is handed out.
//  5. No error holds a value or a key.
package sealed
