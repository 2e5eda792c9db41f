//! One value on its way in or out: wire form, seal, open.
