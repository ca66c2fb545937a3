"""For those who run machines: what an instance holds, what binds in it, what a change would bring.

`overview` describes an instance and doubts numbers that look like slips of the unit; `prices` reads
off the relaxation what energy, time and machines are worth; `sweep` asks again with less energy,
other deadlines or machines; `savings` how little energy an accuracy takes.
"""
