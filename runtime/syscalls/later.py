"""Functions that answer `NOSYS`: dynamic linking, calls of functions known only at run time, snapshots.

Source: `api_wasix.h`, `dl*`, `call_dynamic`, `closure_*`, `reflect_signature`, `proc_snapshot`.
"""

from __future__ import annotations

from runtime.hostcalls import WASIX, returns_nosys

returns_nosys("dlopen", "iiiiiiii:i", WASIX)
returns_nosys("dlsym", "iiiiii:i", WASIX)
returns_nosys("dl_invalid_handle", "i:i", WASIX)
returns_nosys("call_dynamic", "iii:i", WASIX)
returns_nosys("call_dynamic", "iiiiii:i", WASIX)
returns_nosys("closure_prepare", "iiiiiii:i", WASIX)
returns_nosys("closure_allocate", "i:i", WASIX)
returns_nosys("closure_free", "i:i", WASIX)
returns_nosys("reflect_signature", "iiiiii:i", WASIX)
returns_nosys("proc_snapshot", ":i", WASIX)
