RENDER_MODES = ("rgb_array", "human", "ansi")
class Renderer:
    pass
