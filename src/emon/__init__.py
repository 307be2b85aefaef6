"""emon: an electronic-monitoring pipeline. The map:

vendors -> ingest (adapters, keys, raw kept) -> journal `raw` -> route (binds at fix time, one total order)
-> journal `readings` -> evaluate (pure fold against orders; history) -> journal `findings`
-> alerts (work for operators) -> notify (outbox, channels) ; console shows and takes people's commands.

`domain` holds the words everybody shares and imports nothing; `formats` reads and checks files;
`journal` and `store` are ports with drivers; stages never import each other; only `cli` wires.
Only `clock` asks what time it is; every bound stands in `limits`; every setting in `config`.
"""

__version__ = "0.1.0"
